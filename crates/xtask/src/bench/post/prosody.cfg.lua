-- XMPP server of the measurements. Names between at signs are filled in by `post.rs`.
run_as_root = true -- containers measure as root; without effect for anybody else
daemonize = false
pidfile = "@FOLDER@/prosody.pid"
data_path = "@FOLDER@/data"
plugin_paths = { "@FOLDER@/plugins" }
interfaces = { "127.0.0.1" }
c2s_ports = { @PORT@ }
c2s_direct_tls_ports = { }
http_ports = { }
https_ports = { }
-- No archive: Prosody would be slower than what is measured, and every client would ask it.
modules_enabled = { "roster"; "saslauth"; "tls"; "disco"; "ping"; "pep"; "carbons"; "smacks"; "vcard4"; "vcard_legacy"; "blocklist"; "private" }
modules_disabled = { "s2s"; "posix"; "bosh"; "websocket" }
authentication = "internal_plain"
allow_registration = false
limits = { }
c2s_require_encryption = true
ssl = { key = "@FOLDER@/key.pem"; certificate = "@FOLDER@/certificate.pem" }
certificates = "@FOLDER@"
log = { { levels = { min = "warn" }, to = "file", filename = "@FOLDER@/prosody.log" } }
VirtualHost "@DOMAIN@"
  modules_enabled = { "arrivals" }
  arrivals_file = "@FOLDER@/arrivals"
Component "people.@DOMAIN@" "crowd"
  crowd_folder = "@FOLDER@"
