//! Has the phone's certificate issued: one conversation with CAPF over TLS, see `offhook-capf`.

mod keys;

use std::time::Duration;

use offhook_capf::{Authentication, Enrolment, Output};
use offhook_model::{EnrolFault, Fault};
use offhook_ports::{ClientIdentity, EnrolPlan, Enrolled};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::{Net, Wanted, errors};
use keys::Key;

/// Bound on name and connection, and once more on the handshake.
const OPEN: Duration = Duration::from_secs(10);
/// How long the server may be silent, and writing may take. An authority behind the server can be
/// slow.
const SILENCE: Duration = Duration::from_secs(60);
/// How much is read at once.
const CHUNK: usize = 4096;

impl Net {
    /// Asks for a certificate. The server's own is trusted as any other's: by an authority of the
    /// system or of `--ca-file`, or because a person said so. Dropping the future breaks off.
    /// The receipt of a certificate is confirmed once `keep` says that it outlives the program.
    ///
    /// # Errors
    /// Why there is none; [`Fault::Enrolment`] when the server said so.
    pub async fn enrol<K: Future<Output = bool>>(
        &self,
        plan: EnrolPlan,
        keep: impl Fn(&ClientIdentity) -> K,
    ) -> Result<Enrolled, Fault> {
        let secured = self.connect_tls(&Wanted::host(&plan.at), OPEN, OPEN).await?;
        let authentication = match (&plan.string, &plan.present) {
            (Some(string), _) => Authentication::String(string.clone()),
            (None, Some(present)) => Authentication::Certificate(present.certificate.clone()),
            (None, None) => Authentication::Null,
        };
        let phone = Enrolment::new(&plan.device, authentication);
        let (stream, key, outcome) = (secured.stream, None, Enrolled::Seen);
        Conversation { stream, phone, plan, keep, key, outcome }.run().await
    }
}

struct Conversation<F> {
    stream: TlsStream<TcpStream>,
    phone: Enrolment,
    plan: EnrolPlan,
    keep: F,
    key: Option<Key>,
    outcome: Enrolled,
}

impl<K: Future<Output = bool>, F: Fn(&ClientIdentity) -> K> Conversation<F> {
    async fn run(mut self) -> Result<Enrolled, Fault> {
        match self.talk().await {
            // It is kept and counts, whether or not the server could be told so.
            Err(_) if matches!(self.outcome, Enrolled::Issued(_)) => Ok(self.outcome),
            Err(fault) => Err(fault),
            Ok(()) => Ok(self.outcome),
        }
    }

    async fn talk(&mut self) -> Result<(), Fault> {
        let mut buffer = vec![0; CHUNK];
        loop {
            while let Some(output) = self.phone.poll() {
                if let Output::Over(how) = output {
                    // It may be gone already, and everything has been said.
                    let _ = timeout(SILENCE, self.stream.shutdown()).await;
                    return how.map_err(Fault::Enrolment);
                }
                self.carry_out(output).await?;
            }
            match timeout(SILENCE, self.stream.read(&mut buffer)).await {
                Err(_) => return Err(Fault::AnswerTimeout),
                Ok(Ok(0)) => self.phone.closed(),
                Ok(Ok(length)) => self.phone.receive(buffer.get(..length).unwrap_or_default()),
                // A server that leaves without a word of farewell has left all the same.
                Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    self.phone.closed();
                }
                Ok(Err(error)) => return Err(errors::open(&error)),
            }
        }
    }

    async fn carry_out(&mut self, output: Output) -> Result<(), Fault> {
        match output {
            Output::Send(record) => {
                let written = timeout(SILENCE, async {
                    self.stream.write_all(record.expose()).await?;
                    self.stream.flush().await
                });
                written
                    .await
                    .map_err(|_| Fault::AnswerTimeout)?
                    .map_err(|error| errors::open(&error))?;
            }
            Output::MakeKey(kind) => {
                // Seconds, for a long one.
                let made = tokio::task::spawn_blocking(move || Key::make(kind)).await;
                let key = made.ok().flatten().ok_or_else(|| nonsense("no key could be made"))?;
                self.phone.key_made(key.public());
                self.key = Some(key);
            }
            Output::Sign(what) => {
                let present = self.plan.present.as_deref();
                let signed = present.and_then(|present| keys::sign(present.key.expose(), &what));
                let (sha1, sha256) =
                    signed.ok_or_else(|| nonsense("the present key cannot sign"))?;
                self.phone.signed(&sha1, &sha256);
            }
            Output::Keep(der) => {
                let identity = self.key.take().and_then(|key| identity(der, key));
                let identity = identity.ok_or(Fault::Enrolment(EnrolFault::OtherKey))?;
                let kept = timeout(SILENCE, (self.keep)(&identity)).await.unwrap_or(false);
                if kept {
                    self.outcome = Enrolled::Issued(identity);
                }
                self.phone.kept(kept);
            }
            Output::Forget => self.outcome = Enrolled::Deleted,
            Output::Over(_) => {}
        }
        Ok(())
    }
}

/// What is kept of a certificate, if it belongs to the key.
fn identity(der: Vec<u8>, key: Key) -> Option<ClientIdentity> {
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    if certificate.public_key().raw != key.public() {
        return None;
    }
    let validity = certificate.validity();
    let (not_before, not_after) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    Some(ClientIdentity { certificate: der, key: key.private(), not_before, not_after })
}

fn nonsense(what: &str) -> Fault {
    Fault::Enrolment(EnrolFault::Nonsense(what.to_owned()))
}
