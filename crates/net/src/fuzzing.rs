//! The parsers of outside bytes, for fuzzers and the replay of their corpus.

/// A message of a name server.
pub fn answer(data: &[u8]) {
    crate::dns::fuzz_answer(data);
}

/// A `Set-Cookie` header.
pub fn cookie(data: &[u8]) {
    crate::http::fuzz_cookie(data);
}

/// A DER certificate, read to explain a refusal.
pub fn certificate(data: &[u8]) {
    if let Some(shown) = crate::tls::Shown::read(data) {
        assert!(shown.names.iter().all(|name| !name.chars().any(char::is_control)));
    }
}

/// A page of the kernel's lists of links, addresses and routes.
pub fn netlink(data: &[u8]) {
    #[cfg(target_os = "linux")]
    crate::watch::fuzz_messages(data);
    #[cfg(not(target_os = "linux"))]
    let _ = data;
}

/// The answer of a proxy's script.
pub fn pac_result(data: &[u8]) {
    crate::proxy::fuzz_pac_result(data);
}

/// A proxy's answer to CONNECT.
pub fn connect(data: &[u8]) {
    crate::proxy::fuzz_connect(data);
}

/// What systems say of their proxy settings.
pub fn proxy_settings(data: &[u8]) {
    crate::proxy::fuzz_settings(data);
}

/// What a SOCKS5 client or server of a bytestream says.
pub fn socks(data: &[u8]) {
    crate::files::fuzz_socks(data);
}
