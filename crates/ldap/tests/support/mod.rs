//! Authorities, servers, and people that never were.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use offhook_net::{Net, NetOptions};
use offhook_ports::{LdapBind, LdapRequest, LdapScope, LdapSecurity, LdapServer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

pub mod people;
pub mod realm;
pub mod slapd;
pub mod web;

/// Where the people are.
pub const BASE: &str = "ou=people,dc=example,dc=test";

/// Who may read, and the password of the tests' own server.
pub const READER: (&str, &str) = ("cn=reader,dc=example,dc=test", "s3cret");

/// An authority and a folder for its files.
pub struct Authority {
    pub folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("offhook-ldap-").tempdir().expect("a folder");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Laboratory authority");
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("written");
        Self { folder, issuer }
    }

    /// Writes certificate and key for these names, and says where.
    pub fn identity(&self, names: &[&str]) -> (PathBuf, PathBuf) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let files = (self.folder.path().join("server.crt"), self.folder.path().join("server.key"));
        std::fs::write(&files.0, certificate.pem()).expect("written");
        std::fs::write(&files.1, key.serialize_pem()).expect("written");
        files
    }

    /// A network that trusts this authority.
    pub fn net(&self) -> Arc<Net> {
        let ca_files = vec![self.folder.path().join("ca.pem")];
        Net::new(NetOptions { ca_files, ..NetOptions::default() }).expect("a network")
    }
}

/// A network that trusts nobody of ours.
pub fn plain_net() -> Arc<Net> {
    Net::new(NetOptions::default()).expect("a network")
}

/// A server on loopback.
pub fn server(port: u16, security: LdapSecurity) -> LdapServer {
    LdapServer { host: "127.0.0.1".into(), port, security }
}

/// A question to it as nobody; each test changes what it is about.
pub fn question(port: u16, filter: &str) -> LdapRequest {
    LdapRequest {
        server: server(port, LdapSecurity::None),
        bind: LdapBind::Anonymous,
        base: BASE.into(),
        scope: LdapScope::Subtree,
        filter: filter.into(),
        attributes: vec![],
        limit: 50,
        page: 0,
        timeout: Duration::from_secs(20),
        value_limit: 64 * 1024,
    }
}

/// By name and password.
pub fn simple(name: &str, password: &str) -> LdapBind {
    LdapBind::Simple { name: name.into(), password: password.into() }
}

pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The values of one attribute.
pub fn values<'a>(entry: &'a offhook_ports::LdapEntry, name: &str) -> &'a [Vec<u8>] {
    let found = entry.attributes.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map_or(&[], |(_, values)| values)
}

pub fn exists(program: &str) -> bool {
    let folders =
        ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/lib/openldap"];
    folders.iter().any(|folder| Path::new(folder).join(program).exists())
}
