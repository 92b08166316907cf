//! What may be asked of the phone and its calls beyond the simplest, and what the phone is set to.

use std::sync::Arc;

use offhook_model::{CallWish, CommandError, Moment, PhoneState, Reply};

use crate::Phone;

impl Phone {
    /// Does what is wished, or says why not.
    ///
    /// # Errors
    /// There is no such call, it is in another state, or the server does not offer it.
    pub fn wish(&mut self, wish: CallWish, _now: Moment) -> Result<Reply, CommandError> {
        let what = match wish {
            CallWish::Transfer { .. } | CallWish::Connect { .. } => "Transferring a call",
            CallWish::Merge { .. } | CallWish::Expel { .. } => "A conference",
            CallWish::Park(_) => "Parking a call",
            CallWish::Divert(_) => "Giving a call to voicemail",
            CallWish::Pickup(_) => "Taking a call that rings elsewhere",
            CallWish::Forward(_) => "Forwarding all calls",
            CallWish::DoNotDisturb(_) => "Do not disturb at the server",
            CallWish::Redial => "Calling the last number again",
            CallWish::TakeOver => "Taking the phone over",
            CallWish::Watch(_) => "Watching lines",
        };
        Err(CommandError::not_built(what))
    }

    /// What the phone is set to, what waits, and which lines it watches.
    pub fn state(&self) -> Arc<PhoneState> {
        Arc::clone(&self.state)
    }
}
