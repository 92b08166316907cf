//! Why a call is over, in the words of the control API.

use offhook_model::{CallDirection, CallEnd, Endpoint, Fault};
use offhook_sip::{By, End};

/// How far the call had come when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Who began it.
    pub direction: CallDirection,
    /// It had been answered.
    pub answered: bool,
    /// We refused it.
    pub declined: bool,
}

/// Names the cause; only what the user can do something about gets a problem.
pub fn describe(end: &End, reached: Reached, at: Option<Endpoint>) -> CallEnd {
    let cause = cause(end, reached);
    let problem = match (cause, at) {
        ("failed", Some(at)) => {
            let text = end.text.clone();
            Some(Fault::Sip(end.status.unwrap_or(0), text).problem(&at))
        }
        _ => None,
    };
    CallEnd { cause, sip_status: end.status, problem }
}

fn cause(end: &End, reached: Reached) -> &'static str {
    match (&end.by, reached.answered, reached.direction) {
        (By::Network, _, _) => "failed",
        (By::Us, true, _) => "hungUp",
        (By::Us, false, CallDirection::Incoming) => "declined",
        (By::Us, false, CallDirection::Outgoing) => "cancelled",
        (By::Them, true, _) => "remoteHungUp",
        (By::Them, false, CallDirection::Incoming) if reached.declined => "declined",
        (By::Them, false, CallDirection::Incoming) if end.cancelled_elsewhere => {
            "answeredElsewhere"
        }
        (By::Them, false, CallDirection::Incoming) => "missed",
        (By::Them, false, CallDirection::Outgoing) => by_status(end.status),
    }
}

/// RFC 3261 section 21, as a caller understands it.
fn by_status(status: Option<u16>) -> &'static str {
    match status {
        Some(486 | 600) => "busy",
        Some(603) => "declined",
        Some(404 | 410 | 484 | 604) => "notFound",
        Some(408 | 480) => "noAnswer",
        Some(487) => "cancelled",
        Some(_) | None => "failed",
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::CallDirection::{Incoming, Outgoing};
    use offhook_sip::{By, End};

    use super::{Reached, describe};

    fn check(
        by: By,
        status: Option<u16>,
        direction: offhook_model::CallDirection,
        answered: bool,
    ) -> &'static str {
        let end = End { by, status, text: String::new(), cancelled_elsewhere: false };
        describe(&end, Reached { direction, answered, declined: false }, None).cause
    }

    #[test]
    fn causes_follow_who_ended_it_and_when() {
        assert_eq!(check(By::Us, None, Outgoing, true), "hungUp");
        assert_eq!(check(By::Us, Some(487), Outgoing, false), "cancelled");
        assert_eq!(check(By::Us, None, Incoming, false), "declined");
        assert_eq!(check(By::Them, None, Incoming, true), "remoteHungUp");
        assert_eq!(check(By::Them, None, Incoming, false), "missed");
        assert_eq!(check(By::Them, Some(486), Outgoing, false), "busy");
        assert_eq!(check(By::Them, Some(404), Outgoing, false), "notFound");
        assert_eq!(check(By::Them, Some(488), Outgoing, false), "failed");
        assert_eq!(check(By::Network, None, Outgoing, true), "failed");
    }
}
