//! Why a call is over, in the words of the control API.

use offhook_model::{Area, CallDirection, CallEnd, Endpoint, Owner, Problem};
use offhook_rtp::SdpError;
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

/// Names the cause; only what somebody can do something about gets a problem.
pub fn describe(end: &End, reached: Reached, at: Option<Endpoint>) -> CallEnd {
    let cause = cause(end, reached);
    let problem = match (cause, at) {
        ("failed", Some(at)) => Some(problem(end, &at)),
        _ => None,
    };
    CallEnd { cause, sip_status: end.status, problem }
}

/// What is told to a caller who does not encrypt where sound must be encrypted.
pub const ENCRYPTION_REQUIRED: &str = "Encrypted sound (SRTP) is required here";

/// An end for which the two phones' sound does not fit (RFC 3261 section 21.4.26), by what is wrong
/// with their description, where there was one.
pub fn no_common_sound(error: Option<SdpError>) -> CallEnd {
    let problem = match error {
        Some(SdpError::InClear) => Problem::new(
            Area::Media,
            Owner::Admin,
            "The other phone does not encrypt its sound, and calls from here must be encrypted.",
            "Have encryption (SRTP) allowed for the other phone, or call from inside.",
        )
        .coded("call-in-clear", []),
        Some(SdpError::SecureOnly) => Problem::new(
            Area::Media,
            Owner::Admin,
            "The other phone encrypts its sound in a way that is not known here.",
            "Have encryption with keys by SDP (SDES) allowed for the other phone.",
        ),
        _ => unlike_sound("488 Not Acceptable Here"),
    };
    CallEnd { cause: "failed", sip_status: Some(488), problem: Some(problem) }
}

fn unlike_sound(answer: &str) -> Problem {
    Problem::new(
        Area::Media,
        Owner::Admin,
        format!("The two phones have no kind of sound in common ({answer})."),
        "Have the codecs of both phones compared, and whether one of them insists on encryption.",
    )
    .coded("call-no-codec", [("answer", answer)])
}

fn problem(end: &End, at: &Endpoint) -> Problem {
    let text = end.text.trim_end_matches('.');
    let answer = end.status.map(|status| format!("{status} {text}"));
    let answer = answer.as_deref().unwrap_or(text).trim().to_owned();
    let problem = match end.status {
        None | Some(408) if end.by == By::Network => Problem::new(
            Area::Network,
            Owner::Network,
            format!("The call was lost: {answer}."),
            "Check the network connection and call again; the phone registers again by itself.",
        )
        .coded("call-lost", [("answer", &answer)]),
        Some(300..=399) => Problem::new(
            Area::Registration,
            Owner::User,
            "They are to be called elsewhere, outside of what your own server answers for.",
            "Call the address that is shown with the call yourself, if you want to.",
        )
        .coded("call-elsewhere", []),
        Some(415 | 488 | 606) => unlike_sound(&answer),
        Some(403) => Problem::new(
            Area::Registration,
            Owner::Admin,
            format!("{} does not allow this call ({answer}).", at.host),
            "Have the dialling permissions of this line checked.",
        )
        .coded("call-not-allowed", [("host", &at.host), ("answer", &answer)]),
        Some(500..=599) => Problem::new(
            Area::Network,
            Owner::Server,
            format!("{} could not put the call through ({answer}).", at.host),
            "Try again in a minute; if it stays so, have the call server's log looked at.",
        )
        .coded("call-not-through", [("host", &at.host), ("answer", &answer)]),
        None | Some(_) => Problem::new(
            Area::Registration,
            Owner::Admin,
            format!("The call was refused ({answer})."),
            "Check the number; if it is right, have the call server's log looked at for this call.",
        )
        .coded("call-refused", [("answer", &answer)]),
    };
    problem.with_evidence(format!("{at}: {answer}"))
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
    use offhook_model::{Endpoint, Link, Owner, Service};
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

    #[test]
    fn a_failure_says_who_can_mend_it() {
        let at = || Endpoint {
            service: Service::Sip,
            host: "cucm1.example.com".into(),
            port: 5061,
            link: Link::Tls,
        };
        let owner = |by, status| {
            let reached = Reached { direction: Outgoing, answered: false, declined: false };
            let end = End { by, status, text: "Reason".into(), cancelled_elsewhere: false };
            let problem = describe(&end, reached, Some(at())).problem.expect("a problem");
            assert!(problem.cause.contains("Reason"), "{}", problem.cause);
            problem.owner
        };
        assert_eq!(owner(By::Them, Some(488)), Owner::Admin);
        assert_eq!(owner(By::Them, Some(403)), Owner::Admin);
        assert_eq!(owner(By::Them, Some(503)), Owner::Server);
        assert_eq!(owner(By::Network, None), Owner::Network);
    }
}
