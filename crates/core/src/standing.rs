//! A session that stands: its two services, and when it counts as signed in, lost or over.

use std::sync::Arc;

use offhook_model::{
    Authenticator, Moment, Owner, Problem, ServiceState, ServiceStatus, Services, SessionState,
    UserAddress,
};
use offhook_ports::{Found, StoreRequest};
use offhook_signin::{Credentials, Grant, Renewal, Service};

use crate::session::{Phase, Wish, password_can_mend};
use crate::{Core, StoreTag};

/// A session that stands.
#[derive(Debug)]
pub(crate) struct Up {
    wish: Wish,
    found: Found,
    pub(crate) credentials: Credentials,
    pub(crate) renewal: Option<Renewal>,
    pub(crate) display_name: String,
    chat: Side,
    phone: Side,
    confirmed: bool,
}

/// What is known of one of the two services.
#[derive(Clone, Debug, PartialEq)]
enum Side {
    Absent,
    Pending,
    Worked,
    Failed(Problem),
    /// It worked once and nothing more is tried.
    Over(Problem),
}

/// What a service reports to the session.
pub(crate) enum ServiceVerdict {
    /// It works.
    Ready,
    /// An attempt failed; another follows.
    Failed(Problem),
    /// It failed, and nothing more is tried.
    GivenUp(Problem),
}

impl Core {
    pub(crate) fn rise(
        &mut self,
        wish: Wish,
        found: Found,
        credentials: Credentials,
        grant: Grant,
        now: Moment,
    ) {
        let standard = grant.authenticator == Authenticator::Standard;
        self.session.authenticator = Some(grant.authenticator);
        self.session.product_mode = Some(grant.mode);
        self.session.via = Some(grant.via);
        self.session.services = Services::default();
        self.session.step = Some("Connecting".into());
        let mut up = Up {
            wish,
            found,
            credentials,
            renewal: grant.renewal,
            display_name: grant.display_name,
            chat: Side::Absent,
            phone: Side::Absent,
            confirmed: false,
        };
        self.open_history(&up.wish.address);
        match grant.im {
            Service::Ready(plan) => {
                up.chat = Side::Pending;
                self.start_chat(plan, now);
            }
            Service::Failed(problem) => {
                self.session.services.im = failed_row(&problem);
                up.chat = Side::Failed(problem);
            }
            Service::NotConfigured => self.session.services.im.state = ServiceState::NotConfigured,
        }
        match grant.phone {
            Service::Ready(account) => {
                up.phone = Side::Pending;
                self.session.services.phone.state = ServiceState::Connecting;
                self.start_phone(account, now);
            }
            Service::Failed(problem) => {
                self.session.services.phone = failed_row(&problem);
                up.phone = Side::Failed(problem);
            }
            Service::NotConfigured => {
                self.session.services.phone.state = ServiceState::NotConfigured;
            }
        }
        for row in [
            &mut self.session.services.voicemail,
            &mut self.session.services.directory,
            &mut self.session.services.edge,
            &mut self.session.services.calendar,
        ] {
            row.state = ServiceState::NotConfigured;
        }
        self.phase = Phase::Up(Box::new(up));
        // Everything but a plain account has been let in by an authenticator of its own; a plain
        // account is let in by the first of its two servers that says so.
        if !standard {
            self.confirm();
        }
    }

    fn open_history(&mut self, address: &UserAddress) {
        self.store(StoreRequest::Open(address.to_string()));
        self.read_history(StoreTag::Loaded, StoreRequest::Load);
    }

    fn confirm(&mut self) {
        let Phase::Up(up) = &mut self.phase else { return };
        if up.confirmed {
            return;
        }
        up.confirmed = true;
        self.last_user = Some((up.wish.address.clone(), up.credentials.username.clone()));
        let (address, password) = (up.wish.address.to_string(), up.credentials.password.clone());
        self.session.state = SessionState::SignedIn;
        self.session.step = None;
        self.session.error = None;
        self.store(StoreRequest::PutPassword(address.clone(), password));
        if self.settings.last_address.as_deref() != Some(address.as_str()) {
            Arc::make_mut(&mut self.settings).last_address = Some(address);
            self.keep_settings();
        }
    }

    /// The chat link worked or did not.
    pub(crate) fn chat_verdict(&mut self, verdict: ServiceVerdict) {
        if let Phase::Up(up) = &mut self.phase {
            up.chat.learn(verdict);
        }
    }

    /// The registration worked or did not.
    pub(crate) fn phone_verdict(&mut self, verdict: ServiceVerdict) {
        if let Phase::Up(up) = &mut self.phase {
            up.phone.learn(verdict);
        }
    }

    /// Draws the session's state from what both services said. Runs after every event.
    pub(crate) fn reconsider(&mut self, now: Moment) {
        self.finish_leaving(now);
        let Phase::Up(up) = &self.phase else { return };
        if !up.confirmed {
            if up.chat == Side::Worked || up.phone == Side::Worked {
                self.confirm();
            } else if let Some(problem) = up.hopeless() {
                return self.give_up(problem);
            }
            return;
        }
        if let Some(problem) = up.lost_for_good() {
            return self.give_up(problem);
        }
        let services = &self.session.services;
        let ready = |row: &ServiceStatus| row.state == ServiceState::Ready;
        let worked = up.chat == Side::Worked || up.phone == Side::Worked;
        let lost = worked && !ready(&services.im) && !ready(&services.phone);
        self.session.state = if lost { SessionState::Reconnecting } else { SessionState::SignedIn };
        self.session.step = lost.then(|| "Connecting again".to_owned());
    }

    /// Nothing works and nothing will by itself.
    fn give_up(&mut self, problem: Problem) {
        let Phase::Up(up) = std::mem::replace(&mut self.phase, Phase::SignedOut) else { return };
        let services = self.session.services.clone();
        self.leave_behind();
        self.session.services = services;
        self.close_history();
        if password_can_mend(&problem) {
            self.store(StoreRequest::ForgetPassword(up.wish.address.to_string()));
        }
        self.fail(up.wish, Some(up.found), problem);
    }
}

impl Side {
    /// Once it worked, a later failure is a matter of reconnecting, not of being let in.
    fn learn(&mut self, verdict: ServiceVerdict) {
        match verdict {
            ServiceVerdict::Ready => *self = Self::Worked,
            ServiceVerdict::Failed(problem) => match self {
                Self::Worked => {}
                Self::Absent | Self::Pending | Self::Failed(_) | Self::Over(_) => {
                    *self = Self::Failed(problem);
                }
            },
            ServiceVerdict::GivenUp(problem) => {
                *self = match self {
                    Self::Worked | Self::Over(_) => Self::Over(problem),
                    Self::Absent | Self::Pending | Self::Failed(_) => Self::Failed(problem),
                };
            }
        }
    }
}

impl Side {
    fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Failed(problem) | Self::Over(problem) => Some(problem),
            Self::Absent | Self::Pending | Self::Worked => None,
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Over(_) => true,
            Self::Absent | Self::Pending | Self::Worked | Self::Failed(_) => false,
        }
    }
}

impl Up {
    /// Both services have spoken and none works: the more telling problem. A refused password
    /// outranks an unreachable server, for it is what the user can mend.
    fn hopeless(&self) -> Option<Problem> {
        let sides = [&self.chat, &self.phone];
        let spoke = |side: &&Side| **side == Side::Absent || side.problem().is_some();
        if !sides.iter().all(spoke) {
            return None;
        }
        let problems = || sides.into_iter().filter_map(Side::problem);
        problems()
            .find(|problem| password_can_mend(problem))
            .or_else(|| problems().find(|problem| problem.owner == Owner::User))
            .or_else(|| problems().next())
            .cloned()
    }

    /// What worked was given up, and nothing else works.
    fn lost_for_good(&self) -> Option<Problem> {
        if self.chat.is_over() || self.phone.is_over() { self.hopeless() } else { None }
    }
}

fn failed_row(problem: &Problem) -> ServiceStatus {
    ServiceStatus {
        state: ServiceState::Failed,
        error: Some(problem.clone()),
        ..ServiceStatus::default()
    }
}
