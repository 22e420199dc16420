"""Reads streams over HTTP/2 and stamps each frame as it comes.

usage: http2_streams.py URL KEY STREAMS AUTHORITY_FILE|- < body

Sends the body, the JSON of a request, STREAMS times on one connection, and prints one JSON object for
each stream: {"status", "text_sha256", "done", "events", "frames": DATA frames that were not empty,
"most": the most events in one of them, "split": how often one ended within an event, "milliseconds"
from the first frame to the last}. With an authority file TLS is spoken.

The frames are read by h2, which shares nothing with the server.
"""

import hashlib
import json
import socket
import ssl
import sys
import time
import urllib.parse

import h2.config
import h2.connection
import h2.events


def connect(url, authority):
    address = (url.hostname, url.port)
    connection = socket.create_connection(address, timeout=60)
    if authority == "-":
        return connection
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["h2"])
    connection = context.wrap_socket(connection, server_hostname=url.hostname)
    assert connection.selected_alpn_protocol() == "h2"
    return connection


def read(connection, session, wanted):
    frames = {stream: [] for stream in wanted}
    statuses, open_streams = {}, set(wanted)
    while open_streams:
        received = connection.recv(65536)
        now = time.monotonic()
        if not received:
            raise ConnectionError("the server closed the connection")
        for event in session.receive_data(received):
            if isinstance(event, h2.events.ResponseReceived):
                statuses[event.stream_id] = dict(event.headers)[b":status"].decode()
            elif isinstance(event, h2.events.DataReceived):
                if event.data:
                    frames[event.stream_id].append((now, event.data))
                session.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                open_streams.discard(event.stream_id)
        connection.sendall(session.data_to_send())
    return frames, statuses


def outcome(frames, status):
    body = b"".join(data for _, data in frames).decode()
    events = [line[6:] for line in body.split("\n") if line.startswith("data: ")]
    text = ""
    for event in events:
        if event != "[DONE]":
            for choice in json.loads(event).get("choices", []):
                text += choice["delta"].get("content") or ""
    return {
        "status": int(status),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "done": bool(events) and events[-1] == "[DONE]",
        "events": len(events),
        "frames": len(frames),
        "most": max(data.count(b"\n\n") for _, data in frames),
        "split": sum(not data.endswith(b"\n\n") for _, data in frames),
        "milliseconds": round((frames[-1][0] - frames[0][0]) * 1000),
    }


def main():
    url, key, count, authority = sys.argv[1:]
    url, body = urllib.parse.urlsplit(url), sys.stdin.buffer.read()
    connection = connect(url, authority)
    session = h2.connection.H2Connection(h2.config.H2Configuration())
    session.initiate_connection()
    wanted = []
    for _ in range(int(count)):
        stream = session.get_next_available_stream_id()
        session.send_headers(stream, [
            (":method", "POST"), (":scheme", url.scheme), (":authority", url.netloc),
            (":path", url.path), ("authorization", f"Bearer {key}"),
            ("content-type", "application/json"),
        ])
        session.send_data(stream, body, end_stream=True)
        wanted.append(stream)
    connection.sendall(session.data_to_send())
    frames, statuses = read(connection, session, wanted)
    for stream in wanted:
        print(json.dumps(outcome(frames[stream], statuses[stream])))


main()
