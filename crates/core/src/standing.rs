//! A session that stands: its two services, and when it counts as signed in, lost or over.

use std::sync::Arc;

use offhook_model::{
    Authenticator, Layer, Moment, Owner, Problem, ServiceState, ServiceStatus, Services,
    SessionState, UserAddress,
};
use offhook_ports::{PhoneAccount, StoreRequest, XmppPlan};
use offhook_signin::{Credentials, EdgeRoute, Grant, Renewal, Service};

use crate::Core;
use crate::memory::{Way, outdated, same_place};
use crate::moving::Move;
use crate::phase::{Phase, Wish, password_can_mend};

/// A session that stands.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) wish: Wish,
    pub(crate) way: Way,
    pub(crate) credentials: Credentials,
    pub(crate) renewal: Option<Renewal>,
    pub(crate) edge: Option<EdgeRoute>,
    pub(crate) display_name: String,
    /// How far it is with moving to another way.
    pub(crate) moving: Move,
    /// Rounds of moving that failed since the network changed.
    pub(crate) rounds: u32,
    /// What we were given no longer holds: the next round signs in even if nothing moved.
    pub(crate) anew: bool,
    /// Settings that came with the grant, kept once we are in.
    layers: Vec<Layer>,
    /// Registers when the calls that go on are over.
    next_phone: Option<Box<PhoneAccount>>,
    /// The call manager wants the phone to begin anew, with what its device file says now.
    pub(crate) reset: bool,
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
        way: Way,
        credentials: Credentials,
        grant: Grant,
        now: Moment,
    ) {
        let standard = grant.authenticator == Authenticator::Standard;
        self.session.services = Services::default();
        self.session.step = Some("Connecting".into());
        self.open_history(&wish.address);
        self.begin_contacts(now);
        let mut up = Up {
            wish,
            way,
            credentials,
            renewal: None,
            edge: None,
            display_name: String::new(),
            moving: Move::Settled,
            rounds: 0,
            anew: false,
            layers: vec![],
            next_phone: None,
            reset: false,
            chat: Side::Absent,
            phone: Side::Absent,
            confirmed: false,
        };
        let (im, phone) = self.take_grant(&mut up, grant);
        self.begin_chat(&mut up, im, now);
        self.begin_phone(&mut up, phone, false, now);
        self.phase = Phase::Up(Box::new(up));
        // Everything but a plain account has been let in by an authenticator of its own; a plain
        // account is let in by the first of its two servers that says so.
        if !standard {
            self.confirm();
        }
    }

    /// Another way let us in: chat and phone move over, what was confirmed stays so.
    pub(crate) fn moved(&mut self, way: Way, grant: Grant, now: Moment) {
        let Phase::Up(mut up) = std::mem::replace(&mut self.phase, Phase::SignedOut) else {
            return;
        };
        let same = same_place(&way.found, &up.way.found);
        up.way = way;
        (up.moving, up.rounds, up.anew) = (Move::Settled, 0, false);
        self.network.is_good();
        let (im, phone) = self.take_grant(&mut up, grant);
        self.begin_chat(&mut up, im, now);
        let registered = self.session.services.phone.state == ServiceState::Ready;
        if registered && same && !std::mem::take(&mut up.reset) {
            // Only what chat goes on with had to be renewed.
        } else if let (Service::Ready(account), true) = (&phone, registered && self.calls_go_on()) {
            up.next_phone = Some(Box::new(account.clone()));
        } else {
            let was = self.drop_phone();
            self.begin_phone(&mut up, phone, was, now);
        }
        let remember = up.way.remember.clone();
        let layers = std::mem::take(&mut up.layers);
        self.phase = Phase::Up(up);
        self.remember(remember);
        self.take_layers(layers);
        self.draw_directory();
    }

    /// What the session is from now on; chat and phone are left to be begun.
    fn take_grant(
        &mut self,
        up: &mut Up,
        grant: Grant,
    ) -> (Service<XmppPlan>, Service<PhoneAccount>) {
        self.session.authenticator = Some(grant.authenticator);
        self.session.product_mode = Some(grant.mode);
        self.session.via = Some(grant.via);
        self.session.restrictions = grant.restrictions;
        let services = &mut self.session.services;
        for row in [&mut services.voicemail, &mut services.directory, &mut services.calendar] {
            row.state = ServiceState::NotConfigured;
        }
        services.edge = edge_row(grant.edge.as_ref());
        up.renewal = grant.renewal;
        self.contacts.given = grant.people;
        up.edge = grant.edge;
        up.display_name = grant.display_name;
        up.layers = grant.layers;
        up.next_phone = None;
        (grant.im, grant.phone)
    }

    fn begin_chat(&mut self, up: &mut Up, im: Service<XmppPlan>, now: Moment) {
        match im {
            Service::Ready(plan) => {
                up.chat.begin();
                self.start_chat(plan, now);
            }
            Service::Failed(problem) => {
                self.park_chat(now);
                self.session.services.im = failed_row(&problem);
                up.chat = Side::Failed(problem);
            }
            Service::NotConfigured => {
                self.park_chat(now);
                self.session.services.im = not_configured();
                up.chat = Side::Absent;
            }
        }
    }

    fn begin_phone(&mut self, up: &mut Up, phone: Service<PhoneAccount>, was: bool, now: Moment) {
        match phone {
            Service::Ready(account) => {
                up.phone.begin();
                self.session.services.phone.state = ServiceState::Connecting;
                self.start_phone(account, was, now);
            }
            Service::Failed(problem) => {
                self.session.services.phone = failed_row(&problem);
                up.phone = Side::Failed(problem);
            }
            Service::NotConfigured => {
                self.session.services.phone = not_configured();
                up.phone = Side::Absent;
            }
        }
    }

    /// The calls are over that kept the phone where it was.
    fn swap_phone(&mut self, now: Moment) {
        if self.calls_go_on() {
            return;
        }
        let Phase::Up(up) = &mut self.phase else { return };
        if let Some(account) = up.next_phone.take() {
            let was = self.drop_phone();
            self.session.services.phone.state = ServiceState::Connecting;
            self.start_phone(*account, was, now);
        }
    }

    /// How a new one-time password is had, where the account works with them.
    pub(crate) fn renewal(&self) -> Option<(Renewal, Credentials)> {
        let Phase::Up(up) = &self.phase else { return None };
        Some((up.renewal.clone()?, up.credentials.clone()))
    }

    /// One of the two services works.
    pub(crate) fn works(&self) -> bool {
        let services = &self.session.services;
        [&services.im, &services.phone].iter().any(|row| row.state == ServiceState::Ready)
    }

    fn open_history(&mut self, address: &UserAddress) {
        self.open_kept(address.to_string());
        self.load_history();
    }

    fn confirm(&mut self) {
        let Phase::Up(up) = &mut self.phase else { return };
        if up.confirmed {
            return;
        }
        up.confirmed = true;
        let (remember, layers) = (up.way.remember.clone(), std::mem::take(&mut up.layers));
        let by_password = up.wish.token.is_none();
        self.last_user = Some((up.wish.address.clone(), up.credentials.username.clone()));
        let (address, password) = (up.wish.address.to_string(), up.credentials.password.clone());
        self.session.state = SessionState::SignedIn;
        self.session.step = None;
        self.session.error = None;
        if by_password {
            self.store(StoreRequest::PutPassword(address.clone(), password));
        }
        self.remember(remember);
        self.take_layers(layers);
        self.draw_directory();
        self.read_address_books();
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
        self.swap_phone(now);
        let Phase::Up(up) = &self.phase else { return };
        if !up.confirmed {
            if up.chat == Side::Worked || up.phone == Side::Worked {
                self.confirm();
            } else if let Some(problem) = up.hopeless() {
                return self.give_up(problem, now);
            }
            return;
        }
        if up.is_settled()
            && let Some(problem) = up.lost_for_good()
        {
            return self.give_up(problem, now);
        }
        let worked = up.chat == Side::Worked || up.phone == Side::Worked;
        let lost = self.network.lost || worked && !self.works();
        self.session.state = if lost { SessionState::Reconnecting } else { SessionState::SignedIn };
        self.session.step = lost.then(|| self.waiting_words());
        // Another edge of the same name may be in use by now.
        if let Phase::Up(up) = &self.phase
            && let Some(edge) = &up.edge
        {
            self.session.services.edge.address = Some(edge.edge()).filter(|edge| !edge.is_empty());
        }
    }

    /// Nothing works and nothing will by itself.
    pub(crate) fn give_up(&mut self, problem: Problem, now: Moment) {
        self.stop_moving();
        let Phase::Up(up) = std::mem::replace(&mut self.phase, Phase::SignedOut) else { return };
        let services = self.session.services.clone();
        self.leave_behind();
        self.session.services = services;
        self.close_history();
        if !up.confirmed && up.way.from_memory && outdated(&problem) {
            return self.look_anew(up.wish.with(up.credentials), &problem, now);
        }
        if password_can_mend(&problem) {
            self.store(StoreRequest::ForgetPassword(up.wish.address.to_string()));
        }
        self.fail(up.wish, Some(up.way), problem);
    }
}

impl Side {
    /// It is begun, or begun again on another way.
    fn begin(&mut self) {
        *self = match self {
            Self::Worked | Self::Over(_) => Self::Worked,
            Self::Absent | Self::Pending | Self::Failed(_) => Self::Pending,
        };
    }

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
    /// Somebody let us in for good.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// Chat has worked in this session.
    pub(crate) fn chat_worked(&self) -> bool {
        self.chat == Side::Worked
    }

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

fn not_configured() -> ServiceStatus {
    ServiceStatus { state: ServiceState::NotConfigured, ..ServiceStatus::default() }
}

/// The edge's row: which one is in use, and how it fares as far as the last sign-in there showed.
fn edge_row(edge: Option<&EdgeRoute>) -> ServiceStatus {
    let Some(edge) = edge else { return not_configured() };
    ServiceStatus {
        state: ServiceState::Ready,
        address: Some(edge.edge()).filter(|edge| !edge.is_empty()),
        protocol: Some("HTTPS".into()),
        tls: None,
        error: None,
    }
}
