//! The system's Kerberos library by the C interface of RFC 2744. It is looked for when it is first
//! needed: the program starts on systems that have none.
#![allow(unsafe_code, reason = "a C library is called")]

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use libloading::Library;
use offhook_model::TicketFault;

/// Where it is looked for: MIT's, Heimdal's, and what macOS has of Heimdal's.
const NAMES: [&str; 3] = [
    "libgssapi_krb5.so.2",
    "libgssapi.so.3",
    "/System/Library/Frameworks/GSS.framework/Versions/Current/GSS",
];

/// A service of a host (RFC 2743 section 4.1), 1.2.840.113554.1.2.1.4.
static HOST_SERVICE: [u8; 10] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04];
/// Kerberos (RFC 4121 section 1), 1.2.840.113554.1.2.2.
static KERBEROS: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];

/// Flags of a context (RFC 2744 section 5.19).
const MUTUAL: u32 = 2;
const REPLAY: u32 = 4;
const SEQUENCE: u32 = 8;
const CONFIDENTIAL: u32 = 16;
const INTEGRITY: u32 = 32;

/// Bits of a major status (RFC 2744 section 3.9.1).
const CONTINUE: u32 = 1;
const ERRORS: u32 = 0xffff_0000;
const NO_CREDENTIAL: u32 = 7 << 16;
const EXPIRED: u32 = 11 << 16;

/// Minor statuses: those of Kerberos, as MIT and Heimdal count them (RFC 4120 section 7.5.9 from
/// the base on; what follows from 128 on are the libraries' own).
const BASE: i64 = -1_765_328_384;

type Status = u32;
type Handle = *mut c_void;

#[repr(C)]
struct Bytes {
    length: usize,
    value: *mut c_void,
}

impl Bytes {
    const NONE: Self = Self { length: 0, value: ptr::null_mut() };

    /// The library only reads what it is given so.
    fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast() }
    }
}

// On Intel's Macs the headers say that there is no room between the two.
#[cfg_attr(all(target_os = "macos", target_arch = "x86_64"), repr(C, packed(2)))]
#[cfg_attr(not(all(target_os = "macos", target_arch = "x86_64")), repr(C))]
struct Kind {
    length: u32,
    elements: *mut c_void,
}

/// What the conversation is bound to (RFC 2744 section 3.11): here never addresses, whose kind 0 is
/// *unspecified*.
#[cfg_attr(all(target_os = "macos", target_arch = "x86_64"), repr(C, packed(2)))]
#[cfg_attr(not(all(target_os = "macos", target_arch = "x86_64")), repr(C))]
struct Bindings {
    initiator_kind: u32,
    initiator: Bytes,
    acceptor_kind: u32,
    acceptor: Bytes,
    data: Bytes,
}

impl Kind {
    fn of(bytes: &'static [u8]) -> Self {
        Self { length: bytes.len() as u32, elements: bytes.as_ptr().cast_mut().cast() }
    }
}

type ImportName =
    unsafe extern "C" fn(*mut Status, *const Bytes, *const Kind, *mut Handle) -> Status;
type ReleaseName = unsafe extern "C" fn(*mut Status, *mut Handle) -> Status;
type InitContext = unsafe extern "C" fn(
    *mut Status,
    Handle,
    *mut Handle,
    Handle,
    *const Kind,
    u32,
    u32,
    *const Bindings,
    *const Bytes,
    *mut *mut Kind,
    *mut Bytes,
    *mut u32,
    *mut u32,
) -> Status;
type DeleteContext = unsafe extern "C" fn(*mut Status, *mut Handle, *mut Bytes) -> Status;
type ReleaseBuffer = unsafe extern "C" fn(*mut Status, *mut Bytes) -> Status;
type Wrap = unsafe extern "C" fn(
    *mut Status,
    Handle,
    c_int,
    u32,
    *const Bytes,
    *mut c_int,
    *mut Bytes,
) -> Status;
type Unwrap = unsafe extern "C" fn(
    *mut Status,
    Handle,
    *const Bytes,
    *mut Bytes,
    *mut c_int,
    *mut u32,
) -> Status;
type WrapSize = unsafe extern "C" fn(*mut Status, Handle, c_int, u32, u32, *mut u32) -> Status;

/// What is called of it.
struct Calls {
    import_name: ImportName,
    release_name: ReleaseName,
    init_context: InitContext,
    delete_context: DeleteContext,
    release_buffer: ReleaseBuffer,
    wrap: Wrap,
    unwrap: Unwrap,
    wrap_size: WrapSize,
    /// As long as it is here, the calls lead somewhere.
    _library: Library,
}

impl Calls {
    fn find() -> Option<Self> {
        NAMES.iter().find_map(|name| {
            // SAFETY: the system's own library under the name that its interface has there; its
            // initialisers ask for nothing. The types below are those of RFC 2744.
            unsafe {
                let library = Library::new(name).ok()?;
                Some(Self {
                    import_name: *library.get(b"gss_import_name\0").ok()?,
                    release_name: *library.get(b"gss_release_name\0").ok()?,
                    init_context: *library.get(b"gss_init_sec_context\0").ok()?,
                    delete_context: *library.get(b"gss_delete_sec_context\0").ok()?,
                    release_buffer: *library.get(b"gss_release_buffer\0").ok()?,
                    wrap: *library.get(b"gss_wrap\0").ok()?,
                    unwrap: *library.get(b"gss_unwrap\0").ok()?,
                    wrap_size: *library.get(b"gss_wrap_size_limit\0").ok()?,
                    _library: library,
                })
            }
        })
    }
}

static CALLS: OnceLock<Option<Calls>> = OnceLock::new();

/// One conversation with one service, as whoever is signed in.
///
/// Every method's errors say what is wrong with the ticket, or with the way to get one.
pub struct Tickets {
    calls: &'static Calls,
    name: Handle,
    context: Handle,
    flags: u32,
    /// What it is bound to, if to anything.
    binding: Option<Vec<u8>>,
}

// SAFETY: handles belong to no thread (RFC 2743 section 1.2.7 leaves serialising to the caller, and
// a context is only ever used by who owns it, with `&mut`).
unsafe impl Send for Tickets {}
// SAFETY: nothing is done with `&`.
unsafe impl Sync for Tickets {}

impl Tickets {
    /// With this service of this host. `protected` says whether the ticket's key is to protect what
    /// is said afterwards; `binding` is the TLS connection below ([`end_point`](super::end_point)).
    pub fn new(
        service: &str,
        host: &str,
        protected: bool,
        binding: Option<Vec<u8>>,
    ) -> Result<Self, TicketFault> {
        let calls = CALLS.get_or_init(Calls::find).as_ref().ok_or(TicketFault::NoLibrary)?;
        let kind = Kind::of(&HOST_SERVICE);
        let mut name = ptr::null_mut();
        let mut minor = 0;
        let text = format!("{service}@{host}");
        let text = Bytes::of(text.as_bytes());
        // SAFETY: all pointers are to what lives here; the library copies what it keeps.
        let major = unsafe { (calls.import_name)(&mut minor, &text, &kind, &mut name) };
        check(major, minor)?;
        let protection = if protected { CONFIDENTIAL | INTEGRITY } else { INTEGRITY };
        let flags = MUTUAL | REPLAY | SEQUENCE | protection;
        Ok(Self { calls, name, context: ptr::null_mut(), flags, binding })
    }

    /// The next token to send for the one that came, and whether that was all. May wait for the
    /// servers of the realm.
    pub fn step(&mut self, token: &[u8]) -> Result<(Vec<u8>, bool), TicketFault> {
        let kind = Kind::of(&KERBEROS);
        let input = Bytes::of(token);
        let bindings = self.binding.as_deref().map(|data| Bindings {
            initiator_kind: 0,
            initiator: Bytes::NONE,
            acceptor_kind: 0,
            acceptor: Bytes::NONE,
            data: Bytes::of(data),
        });
        let mut output = Bytes::NONE;
        let mut minor = 0;
        // SAFETY: as above; the context is null at first and the library's own from then on. No
        // credential means the one of whoever is signed in, no time the library's own choice.
        let major = unsafe {
            (self.calls.init_context)(
                &mut minor,
                ptr::null_mut(),
                &mut self.context,
                self.name,
                &kind,
                self.flags,
                0,
                bindings.as_ref().map_or(ptr::null(), ptr::from_ref),
                &input,
                ptr::null_mut(),
                &mut output,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        let token = self.taken(output);
        check(major, minor)?;
        Ok((token, major & CONTINUE == 0))
    }

    /// These bytes, protected.
    pub fn wrap(&mut self, bytes: &[u8], confidential: bool) -> Result<Vec<u8>, TicketFault> {
        let input = Bytes::of(bytes);
        let mut output = Bytes::NONE;
        let (mut minor, mut state) = (0, 0);
        // SAFETY: as above.
        let major = unsafe {
            let wanted = c_int::from(confidential);
            (self.calls.wrap)(&mut minor, self.context, wanted, 0, &input, &mut state, &mut output)
        };
        let wrapped = self.taken(output);
        check(major, minor)?;
        // It may do without where the key cannot.
        if confidential && state == 0 {
            return Err(TicketFault::Protection);
        }
        Ok(wrapped)
    }

    /// What is inside.
    pub fn unwrap(&mut self, bytes: &[u8]) -> Result<Vec<u8>, TicketFault> {
        let input = Bytes::of(bytes);
        let mut output = Bytes::NONE;
        let (mut minor, mut state, mut quality) = (0, 0, 0);
        // SAFETY: as above.
        let major = unsafe {
            (self.calls.unwrap)(
                &mut minor,
                self.context,
                &input,
                &mut output,
                &mut state,
                &mut quality,
            )
        };
        let unwrapped = self.taken(output);
        check(major, minor)?;
        Ok(unwrapped)
    }

    /// How many bytes, when they are protected, take no more than `size`.
    pub fn room(&mut self, size: u32, confidential: bool) -> Result<u32, TicketFault> {
        let (mut minor, mut room) = (0, 0);
        // SAFETY: as above.
        let major = unsafe {
            let wanted = c_int::from(confidential);
            (self.calls.wrap_size)(&mut minor, self.context, wanted, 0, size, &mut room)
        };
        check(major, minor)?;
        Ok(room)
    }

    /// A copy of what the library made, which is then given back.
    fn taken(&self, mut made: Bytes) -> Vec<u8> {
        if made.value.is_null() {
            return vec![];
        }
        let mut minor = 0;
        // SAFETY: the library says that so many bytes are there, and takes back what it gave.
        unsafe {
            let bytes = std::slice::from_raw_parts(made.value.cast::<u8>(), made.length).to_vec();
            (self.calls.release_buffer)(&mut minor, &mut made);
            bytes
        }
    }
}

impl Drop for Tickets {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: both are the library's own or null, and nobody uses them any more.
        unsafe {
            if !self.context.is_null() {
                (self.calls.delete_context)(&mut minor, &mut self.context, ptr::null_mut());
            }
            if !self.name.is_null() {
                (self.calls.release_name)(&mut minor, &mut self.name);
            }
        }
    }
}

/// What a status means. The library's own words are not kept: they name people.
fn check(major: Status, minor: Status) -> Result<(), TicketFault> {
    let error = major & ERRORS;
    if error == 0 {
        return Ok(());
    }
    Err(match (i64::from(minor.cast_signed()) - BASE, error) {
        // KRB5KRB_AP_ERR_TKT_EXPIRED, KDC_ERR_NAME_EXP.
        (32 | 1, _) | (_, EXPIRED) => TicketFault::Expired,
        // KDC_ERR_S_PRINCIPAL_UNKNOWN, KDC_ERR_SERVICE_EXP.
        (7 | 2, _) => TicketFault::UnknownServer,
        // KRB5KRB_AP_ERR_SKEW, KRB5KRB_AP_ERR_TKT_NYV.
        (37 | 33, _) => TicketFault::Clock,
        // KRB5_REALM_UNKNOWN, KRB5_KDC_UNREACH, KRB5_REALM_CANT_RESOLVE.
        (154..=156, _) => TicketFault::NoRealm,
        // KRB5_CC_NOTFOUND, KRB5_NO_TKT_SUPPLIED, KRB5_FCC_NOFILE.
        (141 | 136 | 195, _) | (_, NO_CREDENTIAL) => TicketFault::NoTicket,
        // Numbers as long as they are: whoever looks for one finds it written so.
        (_, _) => TicketFault::Other(major, minor),
    })
}

#[cfg(test)]
mod tests {
    use offhook_model::TicketFault;

    use super::check;

    #[test]
    fn statuses_have_their_meaning() {
        let kerberos = |code: i32| (code - 1_765_328_384).cast_unsigned();
        let failed = |minor| check(13 << 16, minor).err();
        assert_eq!(check(0, 0), Ok(()));
        assert_eq!(check(1, 0), Ok(()), "it goes on");
        assert_eq!(failed(kerberos(7)), Some(TicketFault::UnknownServer));
        assert_eq!(failed(kerberos(32)), Some(TicketFault::Expired));
        assert_eq!(failed(kerberos(37)), Some(TicketFault::Clock));
        assert_eq!(failed(kerberos(156)), Some(TicketFault::NoRealm));
        assert_eq!(check(7 << 16, 5), Err(TicketFault::NoTicket));
        assert_eq!(check(11 << 16, 5), Err(TicketFault::Expired));
        assert_eq!(failed(5), Some(TicketFault::Other(13 << 16, 5)));
    }
}
