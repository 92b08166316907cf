//! The phases of a session, and what each holds.

use std::time::Instant;

use offhook_model::{Area, Owner, Problem, Secret, UserAddress};
use offhook_ports::Found;
use offhook_signin::{CloudToken, Credentials};

use crate::RunId;
use crate::memory::Way;
use crate::standing::Up;

/// What the user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) address: UserAddress,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret<String>>,
    /// What the browser brought back, in the place of a password.
    pub(crate) token: Option<CloudToken>,
    /// The password came from the credential store.
    pub(crate) kept: bool,
    /// Nothing that was found before counts.
    pub(crate) fresh: bool,
}

impl Wish {
    pub(crate) fn new(
        address: UserAddress,
        username: Option<String>,
        password: Option<Secret<String>>,
    ) -> Self {
        Self { address, username, password, token: None, kept: false, fresh: false }
    }

    pub(crate) fn with(self, credentials: Credentials) -> Self {
        let Credentials { username, password } = credentials;
        Self { username: Some(username), password: Some(password), ..self }
    }

    /// Without its password, which was refused.
    pub(crate) fn forgetting(self) -> Self {
        Self { password: None, token: None, kept: false, ..self }
    }

    pub(crate) fn username(&self) -> String {
        self.username.clone().unwrap_or_else(|| self.address.user().to_owned())
    }
}

/// Where the session stands, with what each phase needs.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Nobody.
    SignedOut,
    /// Looking for services. The trace before `base` is of an earlier round.
    Discovering { run: RunId, wish: Wish, base: usize },
    /// Reading the kept password.
    Recalling { run: RunId, wish: Wish, way: Way },
    /// Waiting for the user's password, or for the browser.
    Asking { wish: Wish, way: Way },
    /// Asking the authenticator.
    Authenticating { run: RunId, wish: Wish, way: Way, credentials: Credentials },
    /// Let in, or with a standard account on the way.
    Up(Box<Up>),
    /// Not let in. Without `way` even the services are not known.
    Failed { wish: Wish, way: Option<Way> },
    /// Saying good-bye.
    Leaving { until: Instant, quit: bool },
}

/// A password that is typed again may help; a conflict or a missing mechanism is not its fault.
pub(crate) fn password_can_mend(problem: &Problem) -> bool {
    problem.area == Area::Authentication && problem.owner == Owner::User
}

/// Who asks for the password, in words.
pub(crate) fn authority(found: &Found) -> String {
    let first = |targets: &[offhook_ports::Target]| {
        targets.first().map(|target| target.host.clone()).unwrap_or_default()
    };
    match found {
        Found::Cucm(targets) | Found::Cup(targets) | Found::Edge(targets) => first(targets),
        Found::Webex { cas, .. } => cas.clone(),
        Found::Standard { xmpp, sip } => xmpp
            .first()
            .map(|server| server.host.clone())
            .or_else(|| sip.first().map(|server| server.host.clone()))
            .unwrap_or_default(),
    }
}
