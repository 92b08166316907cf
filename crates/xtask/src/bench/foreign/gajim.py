"""Writes Gajim's settings with one account that signs in by itself.

usage: gajim.py FOLDER ADDRESS PASSWORD PORT
FOLDER is XDG_CONFIG_HOME/gajim. The tables are those of Gajim 1.7; it adds what is missing.
"""
import json
import os
import sqlite3
import sys

folder, address, password, port = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
account = {
    "address": address, "name": address.split("@")[0], "hostname": address.split("@")[1],
    "account_label": "bench", "savepass": True, "password": password, "active": True, "autoconnect": True,
    "resource": "gajim.bench", "use_custom_host": True, "custom_host": "127.0.0.1", "custom_port": int(port),
    "custom_type": "START TLS", "sync_muc_blacklist": "",
}
workspace = {"00000000-0000-4000-8000-000000000000": {"name": "Bench", "color": "", "avatar_sha": "", "chats": []}}
base = sqlite3.connect(os.path.join(folder, "settings.sqlite"))
base.executescript(
    "CREATE TABLE settings (name TEXT UNIQUE, settings TEXT);"
    "CREATE TABLE account_settings (account TEXT UNIQUE, settings TEXT);"
    "PRAGMA user_version=5;"
)
values = {"app": {"use_keyring": False, "check_for_update": False, "workspace_order": list(workspace)}, "workspaces": workspace}
for name in ("app", "soundevents", "status_presets", "proxies", "plugins", "workspaces"):
    base.execute("INSERT INTO settings VALUES (?, ?)", (name, json.dumps(values.get(name, {}))))
base.execute("INSERT INTO account_settings VALUES (?, ?)", ("bench", json.dumps({"account": account, "contact": {}, "group_chat": {}})))
base.commit()
