//! The certificate that the phone shows to its call managers, where its profile wants one: what was
//! kept, a new one, and the question for the authentication string.
//!
//! The phone begins when there is a certificate. One that still counts is used, and its successor is
//! asked for while the phone is registered; one that a call manager refuses is asked for anew once.
//! A server that cannot be reached or is busy is asked again, ever less often.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use offhook_model::{
    CommandError, EnrolFault, EnrolmentQuestion, ErrorCode, Fault, Moment, Problem, Rule, Secret,
    ServiceState, ServiceStatus,
};
use offhook_ports::{
    ClientIdentity, EnrolMode, EnrolPlan, Enrolled, PhoneAccount, SecureProfile, StoreRequest,
};

use crate::standing::ServiceVerdict;
use crate::{Core, Effect, RunId, StoreTag};

/// Pause before a server that gave no answer is asked again: doubles from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LAST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// A server that names a time to come again is not believed beyond this.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// A successor that was not to be had is asked for again after so long.
const BETWEEN_RENEWALS: Duration = Duration::from_secs(3600);
/// How often the clock on the wall is looked at: the other one may stand still while the machine sleeps.
const BETWEEN_LOOKS: Duration = Duration::from_secs(24 * 3600);

/// The certificate, and how far it is.
#[derive(Default)]
pub(crate) struct Enrolling {
    stage: Stage,
    /// Name of the phone and what it shows.
    identity: Option<(String, Arc<ClientIdentity>)>,
    /// The phone takes the place of one of ours.
    was: bool,
    /// Enrolled anew since a call manager last took the phone.
    anew: bool,
    /// While the phone is registered: when its certificate is looked at, whether it is time for a
    /// successor.
    look_at: Option<Instant>,
    /// Pauses since the server was last heard.
    pauses: u32,
}

#[derive(Default)]
enum Stage {
    #[default]
    Idle,
    /// What was kept is read.
    Reading(RunId, Box<PhoneAccount>),
    /// The user is asked for the string.
    Asking(Box<PhoneAccount>),
    /// The server is asked.
    Running(RunId, Box<PhoneAccount>, Option<Secret<String>>),
    /// It could not be asked; it is again at this time.
    Pausing(Instant, Box<PhoneAccount>, Option<Secret<String>>),
    /// It is asked for the successor of the one that the phone of this name shows.
    Renewing(RunId, String),
}

impl Core {
    /// What the phone shows to a server that asks for a certificate.
    pub(crate) fn phone_identity(&self) -> Option<Arc<ClientIdentity>> {
        self.enrolling.identity.as_ref().map(|(_, identity)| Arc::clone(identity))
    }

    /// Begins the phone of a secure profile.
    pub(crate) fn start_secure(&mut self, account: PhoneAccount, device: &str, was: bool) {
        self.drop_enrolment();
        self.enrolling.was = was;
        self.enrolling.pauses = 0;
        let run = self.next_run();
        let request = StoreRequest::GetPassword(kept_as(device));
        self.enrolling.stage = Stage::Reading(run, Box::new(account));
        self.out.push_back(Effect::Store(StoreTag::Identity(run), request));
    }

    /// What was kept, if anything was.
    pub(crate) fn identity_read(&mut self, run: RunId, kept: Option<&Secret<String>>, now: Moment) {
        let Stage::Reading(wanted, account) = std::mem::take(&mut self.enrolling.stage) else {
            return;
        };
        if wanted != run {
            self.enrolling.stage = Stage::Reading(wanted, account);
            return;
        }
        let identity = kept.and_then(|kept| read(kept.expose()));
        if identity.is_none() {
            self.store(StoreRequest::PutCertified(None));
        }
        let device = account.secure.as_ref().map(|secure| secure.device.clone());
        self.enrolling.identity = device.zip(identity.map(Arc::new));
        self.with_certificate(*account, now);
    }

    fn with_certificate(&mut self, account: PhoneAccount, now: Moment) {
        let Some(secure) = account.secure.clone() else { return };
        let second = now.wall.0 / 1000;
        if self.phone_identity().is_some_and(|ours| ours.is_valid(second)) {
            self.begin_secure(account, now);
        } else {
            self.enrol(account, &secure);
        }
    }

    fn begin_secure(&mut self, account: PhoneAccount, now: Moment) {
        let was = std::mem::take(&mut self.enrolling.was);
        self.begin_registering(account, was, now);
    }

    fn enrol(&mut self, account: PhoneAccount, secure: &SecureProfile) {
        match secure.mode {
            EnrolMode::String => self.ask_for_string(account, None),
            EnrolMode::Null | EnrolMode::Certificate => self.ask_for_one(account, None),
            EnrolMode::Nothing => {
                self.not_enrolled(&account, &Fault::Enrolment(EnrolFault::NothingPending));
            }
        }
    }

    fn ask_for_string(&mut self, account: PhoneAccount, error: Option<Problem>) {
        let device = account.secure.as_ref().map(|secure| secure.device.clone());
        self.session.enrolment =
            Some(EnrolmentQuestion { device: device.unwrap_or_default(), error });
        self.enrolling.stage = Stage::Asking(Box::new(account));
    }

    /// The user's word.
    pub(crate) fn give_auth_string(
        &mut self,
        string: Option<Secret<String>>,
    ) -> Result<(), CommandError> {
        let account = match std::mem::take(&mut self.enrolling.stage) {
            Stage::Asking(account) => account,
            other => {
                self.enrolling.stage = other;
                return Err(CommandError::user(
                    ErrorCode::NotPossible,
                    "Nobody asks for an authentication string.",
                    "Look at enrolment in session.state.",
                ));
            }
        };
        self.session.enrolment = None;
        match string.filter(|string| !string.expose().trim().is_empty()) {
            Some(string) => self.ask_for_one(*account, Some(string)),
            None => {
                let fault = Fault::Enrolment(EnrolFault::StringWanted);
                self.not_enrolled(&account, &fault);
            }
        }
        Ok(())
    }

    fn ask_for_one(&mut self, account: PhoneAccount, string: Option<Secret<String>>) {
        let Some(SecureProfile { device, authority: Some(at), mode }) = account.secure.clone()
        else {
            let fault = Fault::NotProvisioned("An authority for the phone's certificate".into());
            return self.not_enrolled(&account, &fault);
        };
        let present = self.phone_identity().filter(|_| mode == EnrolMode::Certificate);
        let plan = EnrolPlan { at: at.clone(), device, string: string.clone(), present };
        let run = self.ask_capf(plan);
        self.session.services.phone = ServiceStatus {
            state: ServiceState::Connecting,
            address: Some(at.to_string()),
            protocol: Some("CAPF".into()),
            // Another attempt must not hide why the last one failed.
            error: self.session.services.phone.error.take().filter(|_| self.enrolling.pauses > 0),
            ..ServiceStatus::default()
        };
        self.enrolling.stage = Stage::Running(run, Box::new(account), string);
    }

    fn ask_capf(&mut self, plan: EnrolPlan) -> RunId {
        let run = self.next_run();
        let kept_as = kept_as(&plan.device);
        self.out.push_back(Effect::Enrol { run, plan: Box::new(plan), kept_as });
        run
    }

    /// What came of a request.
    pub(crate) fn enrolled(&mut self, run: RunId, result: Result<Enrolled, Fault>, now: Moment) {
        let (account, string) = match std::mem::take(&mut self.enrolling.stage) {
            Stage::Running(wanted, account, string) if wanted == run => (*account, string),
            Stage::Renewing(wanted, device) if wanted == run => {
                return self.succeeded_by(&device, result);
            }
            other => {
                self.enrolling.stage = other;
                return;
            }
        };
        let Some(device) = account.secure.as_ref().map(|secure| secure.device.clone()) else {
            return;
        };
        match result {
            Ok(Enrolled::Issued(identity)) => {
                self.keep_identity(device, identity);
                self.begin_secure(account, now);
            }
            Ok(Enrolled::Deleted) => {
                self.forget_identity(&device);
                let fault = Fault::Enrolment(EnrolFault::NothingPending);
                self.not_enrolled(&account, &fault);
            }
            Ok(Enrolled::Seen) => self.enrolment_failed(account, string, Fault::Closed, now),
            Err(fault) => self.enrolment_failed(account, string, fault, now),
        }
    }

    /// The next connection shows the successor; without one the present certificate goes on.
    fn succeeded_by(&mut self, device: &str, result: Result<Enrolled, Fault>) {
        match result {
            Ok(Enrolled::Issued(identity)) => self.keep_identity(device.to_owned(), identity),
            Ok(Enrolled::Deleted) => self.forget_identity(device),
            Ok(Enrolled::Seen) | Err(_) => {}
        }
    }

    /// The credential store has it: who asked put it there before its receipt was confirmed.
    fn keep_identity(&mut self, device: String, identity: ClientIdentity) {
        self.store(StoreRequest::PutCertified(Some(identity.not_after)));
        self.enrolling.identity = Some((device, Arc::new(identity)));
    }

    /// What the user can mend is asked again, and a server that may be there the next time as well.
    fn enrolment_failed(
        &mut self,
        account: PhoneAccount,
        string: Option<Secret<String>>,
        fault: Fault,
        now: Moment,
    ) {
        if let Some(pause) = self.pause_after(&fault) {
            if let Some(problem) = self.phone_lacks_certificate(&account, &fault) {
                self.phone_verdict(ServiceVerdict::Failed(problem));
            }
            self.enrolling.stage = Stage::Pausing(now.at + pause, Box::new(account), string);
            return;
        }
        self.enrolling.pauses = 0;
        self.not_enrolled(&account, &fault);
        if matches!(fault, Fault::Enrolment(EnrolFault::WrongString | EnrolFault::StringWanted)) {
            let error = self.session.services.phone.error.clone();
            self.ask_for_string(account, error);
        }
    }

    /// How long it is waited before the server is asked again; nothing where that would not help.
    fn pause_after(&mut self, fault: &Fault) -> Option<Duration> {
        let named = match fault {
            Fault::Enrolment(EnrolFault::Later(named)) => *named,
            Fault::Dns(_)
            | Fault::PortRefused
            | Fault::ConnectTimeout
            | Fault::Unreachable(_)
            | Fault::AnswerTimeout
            | Fault::Closed => None,
            _ => return None,
        };
        let doubled = FIRST_PAUSE * 2_u32.pow(self.enrolling.pauses.min(6));
        self.enrolling.pauses = self.enrolling.pauses.saturating_add(1);
        let named = Duration::from_secs(named.unwrap_or(0).into()).min(LONGEST_PAUSE);
        // Not all phones of a site at once, when the server is back.
        let chance = Duration::from_millis(self.chance.below(5000));
        Some(doubled.min(LAST_PAUSE).max(named) + chance)
    }

    /// When the server is asked again or the certificate looked at.
    pub(crate) fn enrolment_timeout(&self) -> Option<Instant> {
        match &self.enrolling.stage {
            Stage::Pausing(until, ..) => Some(*until),
            Stage::Idle => self.enrolling.look_at,
            Stage::Reading(..) | Stage::Asking(_) | Stage::Running(..) | Stage::Renewing(..) => {
                None
            }
        }
    }

    /// Does what is due.
    pub(crate) fn enrolment_due(&mut self, now: Moment) {
        if self.enrolment_timeout().is_none_or(|at| at > now.at) {
            return;
        }
        match std::mem::take(&mut self.enrolling.stage) {
            Stage::Pausing(_, account, string) => self.ask_for_one(*account, string),
            other => {
                self.enrolling.stage = other;
                self.look_at_certificate(now);
            }
        }
    }

    /// The network is another one: a pause is over.
    pub(crate) fn enrol_sooner(&mut self, now: Moment) {
        if let Stage::Pausing(until, ..) = &mut self.enrolling.stage {
            *until = now.at;
            self.enrolling.pauses = 0;
            self.enrolment_due(now);
        }
    }

    fn not_enrolled(&mut self, account: &PhoneAccount, fault: &Fault) {
        if let Some(problem) = self.phone_lacks_certificate(account, fault) {
            self.phone_verdict(ServiceVerdict::GivenUp(problem));
        }
    }

    /// Shows why the phone has no certificate; the same in words.
    fn phone_lacks_certificate(
        &mut self,
        account: &PhoneAccount,
        fault: &Fault,
    ) -> Option<Problem> {
        let at = account.secure.as_ref().and_then(|secure| secure.authority.clone());
        let at = at.or_else(|| account.servers.first().map(offhook_ports::SipServer::endpoint))?;
        let problem = fault.problem(&at);
        self.session.services.phone = ServiceStatus {
            state: ServiceState::Failed,
            address: Some(at.to_string()),
            protocol: Some("CAPF".into()),
            tls: None,
            error: Some(problem.clone()),
        };
        Some(problem)
    }

    /// A call manager refused the phone for its certificate: a new one is asked for, once until the
    /// phone is taken again. True when it is.
    pub(crate) fn certificate_refused(&mut self, problem: &Problem) -> bool {
        let ours = matches!(problem.rule, Some(Rule(28)));
        if !ours || self.enrolling.identity.is_none() {
            return false;
        }
        let account = self.phone.account().filter(|account| {
            account.secure.as_ref().is_some_and(|secure| secure.mode != EnrolMode::Nothing)
        });
        let Some(account) = account else { return false };
        if std::mem::replace(&mut self.enrolling.anew, true) {
            return false;
        }
        // What is kept stays until there is another: only an administrator could bring it back.
        self.enrolling.identity = None;
        self.drop_phone();
        match account.secure.clone() {
            Some(secure) if secure.mode == EnrolMode::String => {
                self.ask_for_string(account, Some(problem.clone()));
            }
            Some(secure) => self.enrol(account, &secure),
            None => {}
        }
        true
    }

    /// The phone is registered with what it shows.
    pub(crate) fn certificate_taken(&mut self, now: Moment) {
        self.enrolling.anew = false;
        if self.enrolling.look_at.is_none() && matches!(self.enrolling.stage, Stage::Idle) {
            self.look_at_certificate(now);
        }
    }

    /// A successor is asked for where it is time and an administrator wants it to be, without a
    /// question to anybody.
    fn look_at_certificate(&mut self, now: Moment) {
        self.enrolling.look_at = None;
        let secure = self.phone.account().and_then(|account| account.secure);
        let (Some(present), Some(secure)) = (self.phone_identity(), secure) else { return };
        let left = present.renew_at().saturating_sub(now.wall.0 / 1000);
        if let Ok(left @ 1..) = u64::try_from(left) {
            let look = Duration::from_secs(left).min(BETWEEN_LOOKS);
            self.enrolling.look_at = Some(now.at + look);
            return;
        }
        let SecureProfile { device, authority: Some(at), mode } = secure else { return };
        let present = match mode {
            EnrolMode::Certificate => Some(present),
            EnrolMode::Null => None,
            EnrolMode::Nothing | EnrolMode::String => return,
        };
        let plan = EnrolPlan { at, device: device.clone(), string: None, present };
        let run = self.ask_capf(plan);
        self.enrolling.stage = Stage::Renewing(run, device);
        self.enrolling.look_at = Some(now.at + BETWEEN_RENEWALS);
    }

    /// Nobody waits for a certificate any more.
    pub(crate) fn drop_enrolment(&mut self) {
        match std::mem::take(&mut self.enrolling.stage) {
            Stage::Running(run, ..) | Stage::Renewing(run, _) => {
                self.out.push_back(Effect::Cancel(run));
            }
            Stage::Idle | Stage::Reading(..) | Stage::Asking(_) | Stage::Pausing(..) => {}
        }
        self.enrolling.look_at = None;
        self.session.enrolment = None;
    }

    fn forget_identity(&mut self, device: &str) {
        self.enrolling.identity = None;
        self.store(StoreRequest::ForgetPassword(kept_as(device)));
        self.store(StoreRequest::PutCertified(None));
    }
}

/// The name in the credential store. No address of a user has a space.
fn kept_as(device: &str) -> String {
    format!("certificate {device}")
}

/// A certificate as the credential store keeps it: validity, certificate and key.
pub fn identity_words(identity: &ClientIdentity) -> Secret<String> {
    let ClientIdentity { certificate, key, not_before, not_after } = identity;
    let (certificate, key) = (STANDARD.encode(certificate), STANDARD.encode(key.expose()));
    Secret::new(format!("1 {not_before} {not_after} {certificate} {key}"))
}

fn read(kept: &str) -> Option<ClientIdentity> {
    let mut words = kept.split(' ');
    if words.next() != Some("1") {
        return None;
    }
    let mut number = || words.next()?.parse().ok();
    let (not_before, not_after) = (number()?, number()?);
    let mut bytes = || STANDARD.decode(words.next()?).ok();
    let (certificate, key) = (bytes()?, Secret::new(bytes()?));
    Some(ClientIdentity { certificate, key, not_before, not_after })
}

#[cfg(test)]
mod tests {
    use offhook_model::Secret;
    use offhook_ports::ClientIdentity;

    use super::{identity_words, read};

    #[test]
    fn what_is_kept_is_read_again() {
        let key = Secret::new(vec![1, 2, 3]);
        let identity =
            ClientIdentity { certificate: vec![0x30, 0], key, not_before: 5, not_after: 305 };
        assert_eq!(read(identity_words(&identity).expose()), Some(identity.clone()));
        assert_eq!(identity.renew_at(), 205);
        for broken in ["", "1", "2 5 305 MAA= AQID", "1 5 305 MAA=", "1 x 305 MAA= AQID"] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
