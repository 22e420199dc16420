"""Model providers that fail in ways of their own, each below a path of its name.

usage: providers.py [CERTIFICATE KEY]

Prints the address it listens on and, with a certificate, a second one that speaks TLS. The first part
of a request's path says what happens to it:

reset      the connection is reset
close      the connection is closed without an answer
silent     nothing is answered
html       a page is answered, status 200
garbled    what is answered is no HTTP
key-echo   a 401 that repeats the key that was sent
echo       a 400 that repeats the whole request
"""

import json
import socket
import ssl
import struct
import sys
import threading


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    fields = {}
    for line in head.decode().split("\r\n")[1:]:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    while len(body) < int(fields.get("content-length", 0)):
        body += connection.recv(65_536)
    return head.decode().split(" ")[1], fields, body


def response(status, kind, body):
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode() + body


def error(message):
    return json.dumps({"error": {"message": message, "type": "invalid_request_error"}}).encode()


def fail(connection):
    request = read_request(connection)
    if request is None:
        return
    path, fields, body = request
    fault = path.split("/")[1]
    if fault == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif fault == "silent":
        while connection.recv(65_536):
            pass
    elif fault == "html":
        connection.sendall(response("200 OK", "text/html", b"<p>Welcome to the hotel</p>"))
    elif fault == "garbled":
        connection.sendall(b"\x16\x03\x01 no HTTP at all\n\n" * 10)
    elif fault == "key-echo":
        key = fields.get("authorization", "").removeprefix("Bearer ")
        message = f"Incorrect API key provided: {key}."
        connection.sendall(response("401 Unauthorized", "application/json", error(message)))
    elif fault == "echo":
        message = "cannot be read: " + body.decode()
        connection.sendall(response("400 Bad Request", "application/json", error(message)))


def serve(listener, context):
    def one(connection):
        try:
            if context:
                connection = context.wrap_socket(connection, server_side=True)
            fail(connection)
        except OSError:
            pass
        finally:
            connection.close()

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=one, args=(connection,), daemon=True).start()


def main():
    contexts = [None]
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        contexts.append(context)
    threads = []
    for context in contexts:
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
        threads.append(threading.Thread(target=serve, args=(listener, context)))
    for thread in threads:
        thread.start()


main()
