//! What people say about certificates that nobody vouches for.
//!
//! A refusal becomes one question for each host and key, however many handshakes wait for its
//! answer; when nobody waits any more, it is dropped. Yes pins the key for that host here and now;
//! whoever keeps it longer hands it back with [`Net::set_trust`]. No is not remembered: the next
//! connection asks again, and it is the asker's business to spare people the repetition.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use offhook_model::{AcceptedKey, CertificatePolicy, Fault, Service, TlsFault, TrustQuestion};
use offhook_ports::{AskTrust, BoxFuture};

use crate::Net;
use crate::tls::{Refused, Shown, Wanted, bare};

type Answer = Shared<BoxFuture<'static, bool>>;

/// Host in lower case, and key.
type Pin = (String, String);

/// Policy, accepted keys, whom to ask, and what is being asked.
#[derive(Default)]
pub(crate) struct Decisions {
    state: Mutex<State>,
    numbers: AtomicU32,
}

#[derive(Default)]
struct State {
    policy: CertificatePolicy,
    pins: Vec<Pin>,
    asker: Option<Arc<dyn AskTrust>>,
    asked: HashMap<Pin, WeakShared<BoxFuture<'static, bool>>>,
}

impl fmt::Debug for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Decisions")
            .field("policy", &state.policy)
            .field("pins", &state.pins.len())
            .finish_non_exhaustive()
    }
}

impl Decisions {
    pub(crate) fn ask(&self, asker: Arc<dyn AskTrust>) {
        self.lock().asker = Some(asker);
    }

    pub(crate) fn set(&self, policy: CertificatePolicy, accepted: &[AcceptedKey]) {
        let mut state = self.lock();
        state.policy = policy;
        state.pins =
            accepted.iter().map(|one| (host_of(&one.host), one.key.to_lowercase())).collect();
    }

    /// The keys accepted for a host.
    pub(super) fn pinned(&self, host: &str) -> Vec<String> {
        let host = host_of(host);
        let state = self.lock();
        state.pins.iter().filter(|(known, _)| *known == host).map(|(_, key)| key.clone()).collect()
    }

    /// The way to an answer; nothing when nobody is to be asked.
    fn answer(&self, pin: &Pin, question: impl FnOnce(Seen) -> TrustQuestion) -> Option<Answer> {
        let mut state = self.lock();
        if state.pins.contains(pin) {
            // Accepted while this handshake was under way.
            return Some(std::future::ready(true).boxed().shared());
        }
        let remembered = match state.policy {
            CertificatePolicy::Ask => true,
            CertificatePolicy::AskEachSession => false,
            CertificatePolicy::Reject => return None,
        };
        let asker = state.asker.clone()?;
        if let Some(answer) = state.asked.get(pin).and_then(WeakShared::upgrade) {
            return Some(answer);
        }
        let changed = state.pins.iter().any(|(host, _)| *host == pin.0);
        let id = self.numbers.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let question = question(Seen { id, remembered, changed });
        // Asked when it is waited for, and then without our lock.
        let answer = async move { asker.ask(question).await }.boxed().shared();
        state.asked.retain(|_, one| one.upgrade().is_some());
        state.asked.extend(answer.downgrade().map(|weak| (pin.clone(), weak)));
        Some(answer)
    }

    fn pin(&self, pin: Pin) {
        let mut state = self.lock();
        if !state.pins.contains(&pin) {
            state.pins.push(pin);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a question needs to know from here.
struct Seen {
    id: u32,
    remembered: bool,
    /// Another key was accepted for this host.
    changed: bool,
}

fn host_of(host: &str) -> String {
    bare(host).to_ascii_lowercase()
}

impl Net {
    /// Asks a person about a refused certificate. Nothing bounds the wait, so no other bound may
    /// run meanwhile. Ok means that the key counts from now on: connect once more.
    ///
    /// # Errors
    /// The fault of the refusal, when it is none that a person can overrule (only who it is and
    /// until when is a matter of opinion, a weak key is not), when the policy is to reject, when
    /// there is nobody to ask, or when the answer is no.
    pub async fn overrule(&self, wanted: &Wanted<'_>, refused: Refused) -> Result<(), Fault> {
        let Refused { fault, certificate } = refused;
        let Some(shown) = certificate.as_deref().and_then(Shown::read) else {
            return Err(fault);
        };
        let Fault::Tls(why) = &fault else { return Err(fault) };
        // The cloud's certificates come from public authorities. A machine in the middle that shows
        // another is no reason to trouble people whose services are elsewhere: the question to the
        // cloud goes unanswered then.
        if wanted.at.service == Service::Cloud {
            return Err(fault);
        }
        // As little is believed of a short key when it has expired as before.
        if !is_opinion(why) || shown.weak_key.is_some() {
            return Err(fault);
        }
        let pin = (host_of(&wanted.at.host), shown.key.clone());
        let question = |seen| question(wanted, &fault, why.clone(), shown, seen);
        let Some(answer) = self.decisions.answer(&pin, question) else {
            return Err(fault);
        };
        if answer.await {
            self.decisions.pin(pin);
            Ok(())
        } else {
            Err(fault)
        }
    }
}

fn is_opinion(fault: &TlsFault) -> bool {
    match fault {
        TlsFault::SelfSigned
        | TlsFault::UnknownIssuer
        | TlsFault::Expired(_)
        | TlsFault::NotYetValid(_)
        | TlsFault::WrongName { .. } => true,
        TlsFault::WeakKey(_) | TlsFault::OursRefused | TlsFault::Handshake(_) => false,
    }
}

fn question(
    wanted: &Wanted<'_>,
    fault: &Fault,
    why: TlsFault,
    shown: Shown,
    seen: Seen,
) -> TrustQuestion {
    let mut words = fault.problem(wanted.at).cause;
    if seen.changed {
        words.push_str(" It shows another key than the one that was accepted for it before.");
    }
    let mut names = wanted.names.to_vec();
    if names.is_empty() {
        names.push(wanted.at.host.clone());
    }
    names.extend_from_slice(wanted.also);
    TrustQuestion {
        id: seen.id,
        at: wanted.at.clone(),
        why,
        words,
        wanted: names,
        present: shown.names.into_iter().chain(shown.services).collect(),
        subject: shown.subject,
        issuer: shown.issuer,
        not_before: shown.not_before.1.unwrap_or_default(),
        not_after: shown.not_after.1.unwrap_or_default(),
        fingerprint: shown.fingerprint,
        key: shown.key,
        remembered: seen.remembered,
    }
}
