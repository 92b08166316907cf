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
    ///
    /// # Errors
    /// Why there is none; [`Fault::Enrolment`] when the server said so.
    pub async fn enrol(&self, plan: EnrolPlan) -> Result<Enrolled, Fault> {
        let secured = self.connect_tls(&Wanted::host(&plan.at), OPEN, OPEN).await?;
        let authentication = match (&plan.string, &plan.present) {
            (Some(string), _) => Authentication::String(string.clone()),
            (None, Some(present)) => Authentication::Certificate(present.certificate.clone()),
            (None, None) => Authentication::Null,
        };
        let phone = Enrolment::new(&plan.device, authentication);
        Conversation { stream: secured.stream, phone, plan, key: None, outcome: Enrolled::Seen }
            .run()
            .await
    }
}

struct Conversation {
    stream: TlsStream<TcpStream>,
    phone: Enrolment,
    plan: EnrolPlan,
    key: Option<Key>,
    outcome: Enrolled,
}

impl Conversation {
    async fn run(mut self) -> Result<Enrolled, Fault> {
        let mut buffer = vec![0; CHUNK];
        loop {
            while let Some(output) = self.phone.poll() {
                if let Output::Over(how) = output {
                    // It may be gone already, and everything has been said.
                    let _ = timeout(SILENCE, self.stream.shutdown()).await;
                    return how.map(|()| self.outcome).map_err(Fault::Enrolment);
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
            Output::Issued(der) => {
                let key = self.key.take();
                let identity = key.and_then(|key| identity(der, key));
                self.outcome =
                    identity.map(Enrolled::Issued).ok_or(Fault::Enrolment(EnrolFault::OtherKey))?;
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
