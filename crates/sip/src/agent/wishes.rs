//! What the person may wish beyond making, taking and ending calls.

use std::time::Instant;

use offhook_model::DialString;

use super::{ReferTarget, SipCall, SoftKey, UserAgent};

impl UserAgent {
    /// Gives the call to somebody else by REFER (RFC 3515); [`Event::Transfer`] tells how it
    /// fares, also when the call is over before that is known. The call is not ended by it.
    pub fn transfer(&mut self, call: SipCall, to: &ReferTarget, now: Instant) {
        self.send_refer(call, to, now);
        self.flush();
    }

    /// Does what [`Event::Referred`] asks: calls the target with this offer and tells the one who
    /// asked how that fares (RFC 3515 section 2.4.4), also when their call is over. Nothing when
    /// they ask nothing. A question that is not decided within 180 s is forgotten.
    pub fn follow(&mut self, call: SipCall, sdp: String, now: Instant) -> Option<SipCall> {
        let made = self.follow_referral(call, sdp, now);
        self.flush();
        made
    }

    /// Does not do what [`Event::Referred`] asks; `status` is 300 to 699.
    pub fn refuse_referral(&mut self, call: SipCall, status: u16, now: Instant) {
        self.decline_referral(call, status.clamp(300, 699), now);
        self.flush();
    }

    /// Tells the caller that something is to be heard before the call is answered (183 with our
    /// answer): reliably where the caller can take it so (RFC 3262), and then the call is answered
    /// only when the caller has it. A caller whose offer is delayed hears of it without description.
    pub fn early_media(&mut self, call: SipCall, sdp: String, now: Instant) {
        self.send_provisional(call, 183, Some(sdp), now);
        self.flush();
    }

    /// Sends a ringing call of theirs somewhere else (302, RFC 3261 section 21.3.3). As with any
    /// refusal [`Event::Ended`] follows.
    pub fn redirect(&mut self, call: SipCall, to: &DialString, now: Instant) {
        let contact = self.uri_of(to);
        self.send_redirection(call, &contact, now);
        self.flush();
    }

    /// Presses a button of the call manager; [`Event::SoftKey`] tells what came of it. A
    /// registrar that is no call manager has none (501); a call that is not there anymore is
    /// answered by 481.
    pub fn press(&mut self, call: SipCall, key: SoftKey, now: Instant) {
        self.press_key(call, key, now);
        self.flush();
    }

    /// Sends a digit by signalling: to who wants to be told keys ([`UserAgent::wants_keys`]), else
    /// by INFO (`application/dtmf-relay`, or `application/dtmf` where only that is known), where
    /// telephone events were not agreed. Anything but `0`–`9`, `*`, `#`, `A`–`D` is left out.
    pub fn info_digit(&mut self, call: SipCall, digit: char, now: Instant) {
        self.queue_digit(call, digit, now);
        self.flush();
    }

    /// Whether the other side wants to be told keys by signalling (RFC 4730), whatever was agreed
    /// for media; a call manager that collects the digits of a number does.
    pub fn wants_keys(&self, call: SipCall) -> bool {
        self.keys_wanted(call)
    }

    /// Registers although another client has the phone ([`Event::Elsewhere`]). Nothing happens
    /// while we are registered or try to be.
    pub fn take_over(&mut self, now: Instant) {
        self.insist(now);
        self.flush();
    }

    /// Watches these lines and no others from now on (RFC 4235); [`Event::Line`] tells what they
    /// do. At most 100.
    pub fn watch(&mut self, lines: &[DialString], now: Instant) {
        self.watch_lines(lines, now);
        self.flush();
    }
}
