//! What the person does with calls: making, taking, ending and changing them.

use std::time::Instant;

use offhook_model::DialString;
use offhook_ports::Figures;

use super::{SipCall, UserAgent};

impl UserAgent {
    /// Calls somebody.
    pub fn invite(&mut self, to: &DialString, sdp: String, now: Instant) -> SipCall {
        let call = self.new_call_id();
        self.send_invite(call, self.uri_of(to), vec![], sdp, now);
        self.flush();
        call
    }

    /// Tells the caller that it rings here.
    pub fn ring(&mut self, call: SipCall, now: Instant) {
        self.send_ringing(call, now);
        self.flush();
    }

    /// Takes the call, with our answer, or with our offer where theirs is delayed.
    pub fn answer(&mut self, call: SipCall, sdp: String, now: Instant) {
        self.send_answer(call, sdp, now);
        self.flush();
    }

    /// Refuses the call; `status` is 300 to 699.
    pub fn reject(&mut self, call: SipCall, status: u16, now: Instant) {
        self.send_rejection(call, status.clamp(300, 699), None, now);
        self.flush();
    }

    /// Refuses the call and says why in a Warning (RFC 3261 section 20.43).
    pub fn reject_saying(&mut self, call: SipCall, status: u16, text: &str, now: Instant) {
        self.send_rejection(call, status.clamp(300, 699), Some(text), now);
        self.flush();
    }

    /// Ends the call in the way its state needs: CANCEL, BYE or a refusal. [`Event::Ended`]
    /// follows at once; what the network still has to say is dealt with here.
    pub fn hang_up(&mut self, call: SipCall, now: Instant) {
        self.end_call(call, now);
        self.tell_referrers(now);
        self.flush();
    }

    /// What has come and gone of a call's sound so far: told to the other side when it ends.
    pub fn note_figures(&mut self, call: SipCall, received: Figures, sent: Figures) {
        if let Some(call) = self.calls.get_mut(&call) {
            call.figures = Some((received, sent));
        }
    }

    /// Offers a change of the session. Waits while another change is under way.
    pub fn reinvite(&mut self, call: SipCall, sdp: String, now: Instant) {
        self.offer(call, sdp, now);
        self.flush();
    }

    /// Accepts [`Event::Offer`].
    pub fn accept_offer(&mut self, call: SipCall, sdp: String, now: Instant) {
        self.send_acceptance(call, sdp, now);
        self.flush();
    }

    /// Refuses [`Event::Offer`]; the session stays as it was. `status` is 300 to 699.
    pub fn refuse_offer(&mut self, call: SipCall, status: u16, now: Instant) {
        self.send_refusal(call, status.clamp(300, 699), now);
        self.flush();
    }
}
