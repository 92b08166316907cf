//! The same on Windows, by its own interface (SSPI): its package *Kerberos* makes and reads the tokens
//! and frames of RFC 4121, as its documentation on interoperability with GSSAPI says.
#![allow(unsafe_code, reason = "the system's library is called")]

use std::ffi::c_void;
use std::ptr;

use offhook_model::TicketFault;
use windows_sys::Win32::Foundation::{
    SEC_E_CONTEXT_EXPIRED, SEC_E_NO_AUTHENTICATING_AUTHORITY, SEC_E_NO_CREDENTIALS, SEC_E_OK,
    SEC_E_SECPKG_NOT_FOUND, SEC_E_TARGET_UNKNOWN, SEC_E_TIME_SKEW, SEC_E_WRONG_PRINCIPAL,
    SEC_I_CONTINUE_NEEDED,
};
use windows_sys::Win32::Security::Authentication::Identity::{
    AcquireCredentialsHandleW, DecryptMessage, DeleteSecurityContext, EncryptMessage,
    FreeCredentialsHandle, ISC_REQ_CONFIDENTIALITY, ISC_REQ_INTEGRITY, ISC_REQ_MUTUAL_AUTH,
    ISC_REQ_REPLAY_DETECT, ISC_REQ_SEQUENCE_DETECT, InitializeSecurityContextW,
    QueryContextAttributesW, SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_DATA, SECBUFFER_PADDING,
    SECBUFFER_STREAM, SECBUFFER_TOKEN, SECBUFFER_VERSION, SECPKG_ATTR_SIZES, SECPKG_CRED_OUTBOUND,
    SECQOP_WRAP_NO_ENCRYPT, SECURITY_NATIVE_DREP, SecBuffer, SecBufferDesc, SecPkgContext_Sizes,
};
use windows_sys::Win32::Security::Credentials::SecHandle;

/// Bytes of a token at most: what the system itself allows (`MaxTokenSize`) at its greatest.
const TOKEN: usize = 0xffff;

/// One conversation with one service, as whoever is signed in.
///
/// Every method's errors say what is wrong with the ticket, or with the way to get one.
pub struct Tickets {
    credentials: SecHandle,
    context: Option<SecHandle>,
    /// Name of the service, with a zero at its end.
    target: Vec<u16>,
    flags: u32,
    /// What it is bound to, as `SEC_CHANNEL_BINDINGS`.
    binding: Option<Vec<u8>>,
}

impl Tickets {
    /// With this service of this host. `protected` says whether the ticket's key is to protect what
    /// is said afterwards; `binding` is the TLS connection below ([`end_point`](super::end_point)).
    pub fn new(
        service: &str,
        host: &str,
        protected: bool,
        binding: Option<Vec<u8>>,
    ) -> Result<Self, TicketFault> {
        let target = wide(&format!("{service}/{host}"));
        let package = wide("Kerberos");
        let mut credentials = SecHandle { dwLower: 0, dwUpper: 0 };
        let mut expiry = 0i64;
        // SAFETY: all pointers are to what lives here or null, which means whoever is signed in.
        let status = unsafe {
            AcquireCredentialsHandleW(
                ptr::null(),
                package.as_ptr(),
                SECPKG_CRED_OUTBOUND,
                ptr::null(),
                ptr::null(),
                None,
                ptr::null(),
                &mut credentials,
                &mut expiry,
            )
        };
        check(status)?;
        let protection = if protected { ISC_REQ_CONFIDENTIALITY } else { 0 };
        let flags = ISC_REQ_MUTUAL_AUTH
            | ISC_REQ_REPLAY_DETECT
            | ISC_REQ_SEQUENCE_DETECT
            | ISC_REQ_INTEGRITY
            | protection;
        let binding = binding.map(|data| bindings(&data));
        Ok(Self { credentials, context: None, target, flags, binding })
    }

    /// The next token to send for the one that came, and whether that was all. May wait for the
    /// servers of the realm.
    pub fn step(&mut self, token: &[u8]) -> Result<(Vec<u8>, bool), TicketFault> {
        let token = self.context.is_some().then(|| of(SECBUFFER_TOKEN, token));
        let binding = self.binding.as_deref().map(|it| of(SECBUFFER_CHANNEL_BINDINGS, it));
        let mut heard: Vec<SecBuffer> = token.into_iter().chain(binding).collect();
        let input = described(&mut heard);
        let mut room = vec![0; TOKEN];
        let mut made = [of_mut(SECBUFFER_TOKEN, &mut room)];
        let mut output = described(&mut made);
        let mut context = self.context.unwrap_or(SecHandle { dwLower: 0, dwUpper: 0 });
        let (mut attributes, mut expiry) = (0, 0i64);
        // SAFETY: as above; the first step has no context and no token, and makes the context. The
        // library writes into the room that it is told of, and how much of it.
        let status = unsafe {
            let old = self.context.as_ref().map_or(ptr::null(), |old| old as *const SecHandle);
            InitializeSecurityContextW(
                &self.credentials,
                old,
                self.target.as_ptr(),
                self.flags,
                0,
                SECURITY_NATIVE_DREP,
                &input,
                0,
                &mut context,
                &mut output,
                &mut attributes,
                &mut expiry,
            )
        };
        check(status)?;
        self.context = Some(context);
        room.truncate(made[0].cbBuffer as usize);
        Ok((room, status != SEC_I_CONTINUE_NEEDED))
    }

    /// These bytes, protected.
    pub fn wrap(&mut self, bytes: &[u8], confidential: bool) -> Result<Vec<u8>, TicketFault> {
        let sizes = self.sizes()?;
        let mut head = vec![0; sizes.cbSecurityTrailer as usize];
        let mut data = bytes.to_vec();
        let mut tail = vec![0; sizes.cbBlockSize as usize];
        let mut parts = [
            of_mut(SECBUFFER_TOKEN, &mut head),
            of_mut(SECBUFFER_DATA, &mut data),
            of_mut(SECBUFFER_PADDING, &mut tail),
        ];
        let message = described(&mut parts);
        let quality = if confidential { 0 } else { SECQOP_WRAP_NO_ENCRYPT };
        let context = self.context.as_ref().ok_or(TicketFault::Protection)?;
        // SAFETY: the three buffers live here, are as long as they say, and are written in place.
        check(unsafe { EncryptMessage(context, quality, &message, 0) })?;
        let long = |at: usize| parts[at].cbBuffer as usize;
        let whole = [head.get(..long(0)), data.get(..long(1)), tail.get(..long(2))];
        let whole: Option<Vec<&[u8]>> = whole.into_iter().collect();
        whole.map(|parts| parts.concat()).ok_or(TicketFault::Protection)
    }

    /// What is inside.
    pub fn unwrap(&mut self, bytes: &[u8]) -> Result<Vec<u8>, TicketFault> {
        let mut stream = bytes.to_vec();
        let start = stream.as_ptr() as usize;
        let mut parts = [of_mut(SECBUFFER_STREAM, &mut stream), none(SECBUFFER_DATA)];
        let message = described(&mut parts);
        let mut quality = 0;
        let context = self.context.as_ref().ok_or(TicketFault::Protection)?;
        // SAFETY: as above; the second buffer is made to point into the first.
        check(unsafe { DecryptMessage(context, &message, 0, &mut quality) })?;
        let from = (parts[1].pvBuffer as usize).checked_sub(start);
        let inside = from.and_then(|from| stream.get(from..)?.get(..parts[1].cbBuffer as usize));
        inside.map(<[u8]>::to_vec).ok_or(TicketFault::Protection)
    }

    /// How many bytes, when they are protected, take no more than `size`.
    pub fn room(&mut self, size: u32, _confidential: bool) -> Result<u32, TicketFault> {
        let sizes = self.sizes()?;
        Ok(size.saturating_sub(sizes.cbSecurityTrailer).saturating_sub(sizes.cbBlockSize))
    }

    fn sizes(&self) -> Result<SecPkgContext_Sizes, TicketFault> {
        let mut sizes = SecPkgContext_Sizes {
            cbMaxToken: 0,
            cbMaxSignature: 0,
            cbBlockSize: 0,
            cbSecurityTrailer: 0,
        };
        let context = self.context.as_ref().ok_or(TicketFault::Protection)?;
        let into: *mut SecPkgContext_Sizes = &mut sizes;
        // SAFETY: this attribute fills this structure.
        check(unsafe { QueryContextAttributesW(context, SECPKG_ATTR_SIZES, into.cast()) })?;
        Ok(sizes)
    }
}

impl Drop for Tickets {
    fn drop(&mut self) {
        // SAFETY: both are the library's own, and nobody uses them any more.
        unsafe {
            if let Some(context) = &self.context {
                DeleteSecurityContext(context);
            }
            FreeCredentialsHandle(&self.credentials);
        }
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The library only reads what it is given so.
fn of(kind: u32, bytes: &[u8]) -> SecBuffer {
    let pointer: *const u8 = bytes.as_ptr();
    SecBuffer { cbBuffer: bytes.len() as u32, BufferType: kind, pvBuffer: pointer as *mut c_void }
}

fn of_mut(kind: u32, bytes: &mut [u8]) -> SecBuffer {
    let pointer = bytes.as_mut_ptr().cast();
    SecBuffer { cbBuffer: bytes.len() as u32, BufferType: kind, pvBuffer: pointer }
}

/// `SEC_CHANNEL_BINDINGS` with its data: eight numbers, of which the last two are how much there is
/// and where it begins.
fn bindings(data: &[u8]) -> Vec<u8> {
    let numbers = [0, 0, 0, 0, 0, 0, data.len() as u32, 32];
    numbers.into_iter().flat_map(u32::to_ne_bytes).chain(data.iter().copied()).collect()
}

fn none(kind: u32) -> SecBuffer {
    SecBuffer { cbBuffer: 0, BufferType: kind, pvBuffer: ptr::null_mut() }
}

fn described(buffers: &mut [SecBuffer]) -> SecBufferDesc {
    let (count, first) = (buffers.len() as u32, buffers.as_mut_ptr());
    SecBufferDesc { ulVersion: SECBUFFER_VERSION, cBuffers: count, pBuffers: first }
}

fn check(status: i32) -> Result<(), TicketFault> {
    Err(match status {
        SEC_E_OK | SEC_I_CONTINUE_NEEDED => return Ok(()),
        SEC_E_NO_CREDENTIALS => TicketFault::NoTicket,
        SEC_E_CONTEXT_EXPIRED => TicketFault::Expired,
        SEC_E_TARGET_UNKNOWN | SEC_E_WRONG_PRINCIPAL => TicketFault::UnknownServer,
        SEC_E_NO_AUTHENTICATING_AUTHORITY => TicketFault::NoRealm,
        SEC_E_TIME_SKEW => TicketFault::Clock,
        SEC_E_SECPKG_NOT_FOUND => TicketFault::NoLibrary,
        // Numbers as long as they are: whoever looks for one finds it written so.
        other => TicketFault::Other(other as u32, 0),
    })
}
