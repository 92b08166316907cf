//! The machine's connection to the world: gone, back, another one, or behind a login page.
//!
//! While it is gone nothing is tried. When it is back, or another one, or the machine woke up, names
//! are forgotten, the phone opens its connection anew and the services are looked for in the
//! background (`moving`). A machine that has nothing but loopback from the beginning is not
//! "gone": only a connection that was there can be lost.

use std::time::Duration;

use offhook_model::{Area, Moment, NoticeBody, Problem, ServiceState};
use offhook_ports::NetworkState;

use crate::budget::is_portal;
use crate::phase::Phase;
use crate::{Core, Effect};

/// The wall clock ran on and the monotonic one did not: the machine slept for longer than this.
const NAP_MS: i128 = 5_000;

/// While a login page stands in the way its user is probably at it: for the first minute it is tried
/// every second and a half, then less and less often.
const PORTAL_PAUSE: Duration = Duration::from_millis(1_500);
const PORTAL_PROMPT: u32 = 40;
const PORTAL_LAST: Duration = Duration::from_secs(30);

/// What is known of the network.
#[derive(Debug, Default)]
pub(crate) struct Network {
    state: Option<NetworkState>,
    /// It was there during this session and is gone.
    pub(crate) lost: bool,
    /// Attempts that met a login page, since the network changed.
    portal: u32,
    last: Option<Moment>,
}

impl Network {
    /// Digest of the network we are on.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        let state = self.state.as_ref().filter(|state| state.online)?;
        Some(state.fingerprint.clone()).filter(|digest| !digest.is_empty())
    }

    /// A login page stands in the way.
    pub(crate) fn has_portal(&self) -> bool {
        self.portal > 0
    }

    /// Nothing stands in the way any more; true when a login page did.
    pub(crate) fn is_good(&mut self) -> bool {
        std::mem::take(&mut self.portal) > 0
    }

    /// The pause after one more attempt that ended so; nothing when no login page was met.
    pub(crate) fn portal_pause(&mut self, problem: &Problem) -> Option<Duration> {
        if !is_portal(problem) {
            return None;
        }
        self.portal = self.portal.saturating_add(1);
        let late = self.portal.saturating_sub(PORTAL_PROMPT).min(4);
        Some((PORTAL_PAUSE * 2_u32.pow(late)).min(PORTAL_LAST))
    }

    /// The machine slept since the last event.
    fn slept(&mut self, now: Moment) -> bool {
        let Some(last) = self.last.replace(now) else { return false };
        let wall = i128::from(now.wall.0) - i128::from(last.wall.0);
        let passed = now.at.saturating_duration_since(last.at).as_millis();
        wall - i128::try_from(passed).unwrap_or(i128::MAX) > NAP_MS
    }
}

impl Core {
    /// Runs before every event. After sleep every connection is doubtful.
    pub(crate) fn notice_sleep(&mut self, now: Moment) {
        if self.network.slept(now) && !self.network.lost {
            self.network_good(now);
        }
    }

    /// The network is another one, came or went.
    pub(crate) fn network_is(&mut self, state: NetworkState, now: Moment) {
        let Some(old) = self.network.state.replace(state.clone()) else { return };
        if old == state {
            return;
        }
        let change = match (old.online, state.online) {
            (true, false) => "the network is gone",
            (false, true) => "the network is back",
            (true, true) => "this is another network",
            (false, false) => return,
        };
        self.notice(NoticeBody::Network { online: state.online, change: change.into() }, now);
        if state.online {
            self.network.lost = false;
            self.network_good(now);
        } else {
            self.network.lost = true;
            self.network_gone(now);
        }
    }

    fn network_gone(&mut self, now: Moment) {
        let Phase::Up(up) = &self.phase else { return };
        if up.is_confirmed() {
            self.stop_moving();
            self.park_chat(now);
            self.doubt_phone();
        }
    }

    /// What was known of the way to the services no longer counts.
    fn network_good(&mut self, now: Moment) {
        self.network.portal = 0;
        self.out.push_back(Effect::ForgetNames);
        match &self.phase {
            Phase::Up(up) if up.is_confirmed() => {
                self.doubt_phone();
                self.with_phone(|phone| phone.network_changed(now));
                self.enrol_sooner(now);
                self.begin_move(now);
            }
            Phase::Up(_) => {
                self.with_phone(|phone| phone.network_changed(now));
                self.enrol_sooner(now);
                self.reopen_parked_chat(now);
            }
            Phase::Discovering { .. } => self.discover_again(now),
            // It could not work without a network; nobody was refused.
            Phase::Failed { .. } if self.failed_for_network() => self.retry_failed(now),
            Phase::SignedOut
            | Phase::Recalling { .. }
            | Phase::Asking { .. }
            | Phase::Authenticating { .. }
            | Phase::Failed { .. }
            | Phase::Leaving { .. } => {}
        }
    }

    /// The registration stands, and nobody knows whether a call would come through.
    fn doubt_phone(&mut self) {
        let row = &mut self.session.services.phone;
        if row.state == ServiceState::Ready {
            row.state = ServiceState::Connecting;
        }
    }

    fn failed_for_network(&self) -> bool {
        self.session.error.as_ref().is_some_and(|problem| match problem.area {
            Area::Dns | Area::Network => true,
            Area::Provisioning => is_portal(problem),
            Area::Tls | Area::Authentication | Area::Registration | Area::Media => false,
        })
    }

    /// Nothing is tried: what the session says of it.
    pub(crate) fn waiting_words(&self) -> String {
        if self.network.lost {
            return "Waiting for the network".into();
        }
        if self.network.has_portal() {
            return "This network wants you to sign in with a browser first".into();
        }
        self.moving_words().unwrap_or_else(|| "Connecting again".into())
    }
}
