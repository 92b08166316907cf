//! What the phone itself sounds like, decided from the calls alone.

use offhook_model::{Call, CallState};

/// A sound of the phone's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It rings there.
    Ringback,
    /// They are busy.
    Busy,
    /// There is no way there.
    Reorder,
    /// It rings here.
    Ring,
    /// It rings here while we talk.
    Waiting,
}

/// The sound that fits these calls. A ringing phone outranks a waiting ear; over a conversation it is
/// a low tone in the ear. `quiet`: not to be disturbed; `asked`: what a server wants to be heard for
/// a call that did not come about.
pub fn fitting<'a>(
    calls: impl Iterator<Item = &'a Call> + Clone,
    quiet: bool,
    asked: Option<Tone>,
) -> Option<Tone> {
    let any = |state| calls.clone().any(|call| call.state == state);
    let talking = any(CallState::Connected) || any(CallState::Early);
    if any(CallState::Incoming) && !quiet {
        return Some(if talking { Tone::Waiting } else { Tone::Ring });
    }
    if asked.is_some() {
        return asked;
    }
    if any(CallState::Ringing) && !talking {
        return Some(Tone::Ringback);
    }
    let busy = |call: &Call| call.end.as_ref().is_some_and(|end| end.cause == "busy");
    let engaged = talking || any(CallState::Dialing);
    (calls.clone().any(busy) && !engaged).then_some(Tone::Busy)
}
