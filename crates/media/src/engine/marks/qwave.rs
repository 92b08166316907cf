//! The quality service of Windows (`qwave.dll`). Desktop systems have it, servers with virtual desktops only
//! where it was added, so it is looked for when a call wants it: linked against, it would keep the
//! program from starting there.
//!
//! A flow alone would be marked with the code point of its kind (56 for voice), which is not what the device
//! file says. The wanted one may only be set by administrators and network operators of the machine; who
//! is refused has no flow.

#![expect(unsafe_code, reason = "the service is reached by C functions only")]

use std::io;
use std::mem::transmute;
use std::net::SocketAddr;
use std::os::windows::io::AsRawSocket;
use std::ptr::{from_ref, null_mut};

use mio::net::UdpSocket;
use socket2::SockAddr;
use windows_sys::Win32::Foundation::{FARPROC, HANDLE, HMODULE};
use windows_sys::Win32::NetworkManagement::QoS::{
    QOS_NON_ADAPTIVE_FLOW, QOS_SET_FLOW, QOS_TRAFFIC_TYPE, QOS_VERSION, QOSSetOutgoingDSCPValue,
    QOSTrafficTypeVoice,
};
use windows_sys::Win32::Networking::WinSock::{SOCKADDR, SOCKET};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::LibraryLoader::{
    GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW,
};
use windows_sys::core::{BOOL, PCSTR, s, w};

type CreateHandle = unsafe extern "system" fn(*const QOS_VERSION, *mut HANDLE) -> BOOL;
type CloseHandle = unsafe extern "system" fn(HANDLE) -> BOOL;
type AddSocketToFlow = unsafe extern "system" fn(
    HANDLE,
    SOCKET,
    *const SOCKADDR,
    QOS_TRAFFIC_TYPE,
    u32,
    *mut u32,
) -> BOOL;
type SetFlow = unsafe extern "system" fn(
    HANDLE,
    u32,
    QOS_SET_FLOW,
    u32,
    *const core::ffi::c_void,
    u32,
    *mut OVERLAPPED,
) -> BOOL;

/// The service with the flows of one call; they end with it.
pub(super) struct Service {
    handle: HANDLE,
    close: CloseHandle,
    add: AddSocketToFlow,
    set: SetFlow,
}

impl Service {
    pub(super) fn open() -> io::Result<Self> {
        // SAFETY: the name is a constant; only the system's own folder is searched. The library stays
        // loaded, as the functions below are kept.
        let library =
            unsafe { LoadLibraryExW(w!("qwave.dll"), null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
        if library.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the types are those of the functions of these names in `qos2.h`.
        let (create, close, add, set) = unsafe {
            (
                transmute::<FARPROC, Option<CreateHandle>>(find(library, s!("QOSCreateHandle"))),
                transmute::<FARPROC, Option<CloseHandle>>(find(library, s!("QOSCloseHandle"))),
                transmute::<FARPROC, Option<AddSocketToFlow>>(find(
                    library,
                    s!("QOSAddSocketToFlow"),
                )),
                transmute::<FARPROC, Option<SetFlow>>(find(library, s!("QOSSetFlow"))),
            )
        };
        let (Some(create), Some(close), Some(add), Some(set)) = (create, close, add, set) else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let version = QOS_VERSION { MajorVersion: 1, MinorVersion: 0 };
        let mut handle = null_mut();
        // SAFETY: both point to values that live through the call.
        succeeded(unsafe { create(&version, &mut handle) })?;
        Ok(Self { handle, close, add, set })
    }

    /// Marks what `socket` sends to `to`.
    pub(super) fn mark(&self, socket: &UdpSocket, to: SocketAddr, dscp: u8) -> io::Result<()> {
        let (to, mut flow) = (SockAddr::from(to), 0);
        // SAFETY: the socket is open, the address lives through the call and has the length of its
        // family.
        succeeded(unsafe {
            (self.add)(
                self.handle,
                socket.as_raw_socket() as SOCKET,
                to.as_ptr().cast(),
                QOSTrafficTypeVoice,
                QOS_NON_ADAPTIVE_FLOW,
                &mut flow,
            )
        })?;
        let value = u32::from(dscp);
        // SAFETY: the flow was just made; the buffer is the value, four bytes long; nothing is awaited.
        succeeded(unsafe {
            (self.set)(
                self.handle,
                flow,
                QOSSetOutgoingDSCPValue,
                size_of::<u32>() as u32,
                from_ref(&value).cast(),
                0,
                null_mut(),
            )
        })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // SAFETY: the handle is open and used no more.
        unsafe { (self.close)(self.handle) };
    }
}

fn find(library: HMODULE, name: PCSTR) -> FARPROC {
    // SAFETY: the library is loaded and the name a constant.
    unsafe { GetProcAddress(library, name) }
}

fn succeeded(done: BOOL) -> io::Result<()> {
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
