"""A phone of PJSIP for `cargo xtask bench call`: registers, takes every call, plays a file into it and
writes what it hears, with PJSIP's clock for machines without a sound card. The sound is all PJSIP's;
Python waits.

pjsua.py NAME DOMAIN PASSWORD SERVER CODEC PLAY RECORD   (SERVER: ADDRESS:PORT, CODEC: PCMU/8000/1)
"""
import json
import sys
import time

import pjsua2 as pj

name, domain, password, server, codec, play, record = sys.argv[1:8]

endpoint = pj.Endpoint()
endpoint.libCreate()
config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 0
config.uaConfig.threadCnt = 1
config.medConfig.clockRate = 16000 if codec.startswith("G722") else 8000
config.medConfig.noVad = True
config.medConfig.ecTailLen = 0
endpoint.libInit(config)
transport = pj.TransportConfig()
transport.boundAddress = transport.publicAddress = "127.0.0.1"
endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
endpoint.audDevManager().setNullDev()
endpoint.libStart()
for known in endpoint.codecEnum2():
    endpoint.codecSetPriority(known.codecId, 255 if known.codecId == codec else 0)

kept = []


class Call(pj.Call):
    wired = False

    def onCallMediaState(self, _):
        # Kept by a name: the list lives no longer than what it belongs to.
        info = self.getInfo()
        for index, media in enumerate(info.media):
            active = media.status == pj.PJSUA_CALL_MEDIA_ACTIVE
            if media.type != pj.PJMEDIA_TYPE_AUDIO or not active or self.wired:
                continue
            self.wired = True
            sound, player, recorder = (
                self.getAudioMedia(index),
                pj.AudioMediaPlayer(),
                pj.AudioMediaRecorder(),
            )
            player.createPlayer(play)
            recorder.createRecorder(record)
            player.startTransmit(sound)
            sound.startTransmit(recorder)
            kept.extend([sound, player, recorder])


class Account(pj.Account):
    def onIncomingCall(self, told):
        call = Call(self, told.callId)
        kept.append(call)
        wish = pj.CallOpParam()
        wish.statusCode = 200
        call.answer(wish)

    def onRegState(self, told):
        print(json.dumps({"registered": told.code}), flush=True)


wish = pj.AccountConfig()
wish.idUri = f"sip:{name}@{domain}"
wish.regConfig.registrarUri = f"sip:{domain}"
wish.sipConfig.proxies.append(f"sip:{server};lr")
wish.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", name, 0, password))
wish.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
wish.mediaConfig.transportConfig.publicAddress = "127.0.0.1"
account = Account()
account.create(wish)
while True:
    time.sleep(3600)
