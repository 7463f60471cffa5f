"""Print a line for every frame that comes out of an interface: wiretap.py INTERFACE."""

import json
import socket
import sys

ETH_P_ALL = 3


def capture(interface: str) -> None:
    """What each frame is and where it goes, until the process is ended."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as raw:
        raw.bind((interface, 0))
        print("capturing", flush=True)
        while True:
            frame, address = raw.recvfrom(65535)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            kind = {0x0806: "arp", 0x0800: "ip"}.get(int.from_bytes(frame[12:14], "big"), "other")
            what = {"kind": kind}
            if kind == "ip":
                header = 14 + (frame[14] & 15) * 4
                what["to"] = socket.inet_ntoa(frame[30:34])
                port = int.from_bytes(frame[header + 2 : header + 4], "big")
                what["port"] = str(port)
                if frame[23] == socket.IPPROTO_UDP and port == 53:
                    what["kind"] = "dns"
                    what["question"] = frame[header + 20 :].split(b"\0")[0].decode("latin-1")
            print(json.dumps(what), flush=True)


if __name__ == "__main__":
    capture(sys.argv[1])
