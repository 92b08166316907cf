//! Who is on the other side.

use offhook_model::Call;
use offhook_sip::Identity;

/// Puts what SIP learned of the other side into the call. An identity without a number (a display
/// change only) leaves the number.
pub fn apply(call: &mut Call, identity: &Identity) -> bool {
    let before = (call.remote.clone(), call.name.clone());
    if !identity.number.is_empty() {
        call.remote.clone_from(&identity.number);
    }
    if let Some(name) = &identity.name
        && !name.trim().is_empty()
    {
        call.name = Some(name.trim().to_owned());
    }
    before != (call.remote.clone(), call.name.clone())
}
