#!/usr/bin/env python3
"""A server for docs/contract.md in the standard library alone (Linux, macOS; Python 3.8 or newer).
All state is in the saves folder: KEY.json is a document, an empty KEY.json is a reserved key. So
reservations outlive a restart, and several servers can share one folder."""
import argparse, contextlib, fcntl, http, itertools, json, os, re, secrets, socketserver, string
import threading, time, urllib.parse

FILES = {"".join(key) + ".json" for key in itertools.product(string.ascii_uppercase + string.digits, repeat=3)}
TYPE_SLUGS = ("demo", "word", "powerpoint", "excel", "docs", "slides", "camtasia", "dojo")
RESERVED_SECONDS, LOCK_SECONDS, BODY_LIMIT = 15 * 60, 5, 8 << 20
WRITING = threading.Lock()

class Failure(Exception):
    """Failure(message, status) ends an operation with that response."""

def require(condition, message, status=400):
    if not condition:
        raise Failure(message, status)

def parse(data):  # None if it is not JSON
    with contextlib.suppress(ValueError, RecursionError):  # RecursionError: 200,000 opening brackets
        value = json.loads(data.decode())  # decode(): loads() alone would take UTF-16 as well
        json.dumps(value, allow_nan=False)  # loads() takes NaN and 1e999, for which JSON has no number
        return value

def metadata_of(document):
    metadata = document.get("metadata") if isinstance(document, dict) else None
    return metadata if isinstance(metadata, dict) else {}

def file_of(key):
    require(isinstance(key, str) and re.fullmatch("[A-Z0-9]{3}", key), "Invalid session key")
    return key + ".json"

def checked(body):
    posted = parse(body)
    require(isinstance(posted, dict) and posted.get("sessionKey") is not None, "Invalid data format")
    name, slug = file_of(posted["sessionKey"]), posted.get("typeSlug")
    require(slug is not None, "Missing typeSlug parameter")
    require(slug in TYPE_SLUGS, "Invalid checklist type")
    return name, posted

@contextlib.contextmanager
def locked():  # for each change: the mutex queues our threads, flock keeps other processes out
    deadline = time.monotonic() + LOCK_SECONDS
    require(WRITING.acquire(timeout=LOCK_SECONDS), "Failed to acquire file lock", 500)
    try:
        with open(".saves-guard", "ab") as guard:  # closing it ends the flock
            while True:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                require(time.monotonic() < deadline, "Failed to acquire file lock", 500)
                time.sleep(0.005)
            yield
    finally:
        WRITING.release()

def read(name):  # needs no lock: write() swaps whole files, and one that is open stays as it is
    with contextlib.suppress(FileNotFoundError), open(name, "rb") as file:
        return file.read(), os.fstat(file.fileno()).st_mtime_ns // 1_000_000
    return b"", 0  # the same as a reserved key: no document

def write(name, document, time_field, last_time):  # under the lock, so one name for new files will do
    now = max(time.time_ns() // 1_000_000, last_time)  # does not go back, even if the clock does
    document["metadata"][time_field] = now
    with open(".saves-new", "wb") as file:
        file.write(json.dumps(document).encode())
    os.utime(".saves-new", ns=(now * 1_000_000,) * 2)  # the list's timestamp will be lastModified
    os.replace(".saves-new", name)  # a restore sees the old file or the new one

class FreeKeys:  # a cache, as reading up to 46,656 names for each key would be slow
    lock, names, looked, folder_time = threading.Lock(), [], 0, None

    def draw(self, again):
        number = secrets.randbits(128)  # before the lock: a system call lets other threads run into it
        with self.lock:
            if again or not self.names or time.monotonic() - self.looked > 1:
                self.look()
            require(self.names, "Unable to generate unique key - all attempts exhausted", 503)
            i = number % len(self.names)  # of 128 bits, so uniform for all that can be seen
            self.names[i], self.names[-1] = self.names[-1], self.names[i]
            return self.names.pop()

    def look(self):
        now, changed = time.time_ns(), os.stat(".").st_mtime_ns
        if self.names or changed != self.folder_time:  # else the folder is as full as it was
            self.names, self.looked = list(FILES.difference(os.listdir())), time.monotonic()
            # File times are coarse: a change soon after another one may leave the time as it is.
            self.folder_time = changed if now - changed > 50_000_000 else None

def generate_key(query, body):
    for attempt in range(1, 101):
        name = FREE_KEYS.draw(again=attempt % 10 == 0)  # after ten misses the cache must be wrong
        with contextlib.suppress(FileExistsError):  # O_EXCL lets only one of all who try succeed
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            return {"sessionKey": name[:3]}
    raise Failure("Server busy", 503)  # there were free keys, but each time others were faster

def end_reservations():
    while True:
        time.sleep(60)
        with contextlib.suppress(OSError, Failure):  # then the rest is for the next minute
            for name in FILES.intersection(os.listdir()):
                with locked():  # so that nobody saves the document between the look and the removal
                    status = os.stat(name)
                    if status.st_size == 0 and time.time() - status.st_mtime > RESERVED_SECONDS:
                        os.remove(name)

def instantiate(query, body):
    name, posted = checked(body)
    state = {} if posted.get("state") is None else posted["state"]
    new = {"sessionKey": name[:3], "typeSlug": posted["typeSlug"], "metadata": {"version": "1.0"}, "state": state}
    with locked():
        if read(name)[0]:
            return {"message": "Instance already exists"}
        write(name, new, "created", 0)
    return {"message": "Instance created"}

def save(query, body):
    name, document = checked(body)
    document.pop("type", None)
    with locked():  # reading, merging and writing are one step
        stored, last_time = read(name)
        document["metadata"] = {**metadata_of(parse(stored)), **metadata_of(document)}
        write(name, document, "lastModified", last_time)
    return {"message": ""}

def restore(query, body):
    data, _ = read(file_of(query.get("sessionKey")))
    require(data, "No saved data found", 404)
    document = parse(data)
    require(document is not None, "Invalid saved data format", 500)
    return document

def list_documents(query, body):
    with locked():  # some file systems skip a name that is replaced while the folder is read
        names = FILES.intersection(os.listdir())
    entries = []
    for name in names:
        data, changed = read(name)
        if isinstance(document := parse(data), dict):  # else it is reserved, or was deleted just now
            metadata = {"created": changed, **metadata_of(document), "version": "1.0"}
            metadata = {k: metadata[k] for k in ("version", "created", "lastModified") if k in metadata}
            entries.append({"sessionKey": name[:3], "timestamp": changed, "created": metadata["created"],
                            "typeSlug": document.get("typeSlug"), "metadata": metadata})
    return sorted(entries, key=lambda entry: -entry["timestamp"])

def delete(query, body):
    require(query.get("session"), "Session key is required")
    name = file_of(query["session"])
    with locked():
        require(os.path.exists(name), "Instance not found", 404)
        os.remove(name)
    return {"message": "Instance deleted successfully"}

FREE_KEYS = FreeKeys()
OPERATIONS = {  # name: function, methods, message if the folder or the disk fails
    "generate-key": (generate_key, "GET POST", "Saves directory not found"),
    "instantiate": (instantiate, "POST", "Failed to open file"),
    "save": (save, "POST", "Failed to open file"),
    "restore": (restore, "GET", "Failed to read saved data"),
    "list": (list_documents, "GET", "Failed to access saves directory"),
    "delete": (delete, "DELETE", "Failed to delete instance")}

def respond(method, target, body):
    path, _, query = target.partition("?")
    match = re.fullmatch(r"(?:/php)?/api/([a-z-]+?)(?:\.php)?", path)
    try:
        require(match and match[1] in OPERATIONS, "Not found", 404)
        operation, methods, message = OPERATIONS[match[1]]
        require(method in methods.split(), "Method not allowed", 405)
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        return 200, {"success": True, "data": operation(query, body)}
    except (Failure, OSError) as error:
        message, status = error.args if isinstance(error, Failure) else (message, 500)
        return status, {"success": False, "message": message}

class Handler(socketserver.StreamRequestHandler):
    timeout, disable_nagle_algorithm = 30, True

    def handle(self):
        with contextlib.suppress(OSError, ValueError):  # the client has gone, is idle, or speaks no HTTP
            while self.exchange():
                pass

    def exchange(self):  # as much of HTTP/1.1 as it takes, which is faster than http.server
        method, target, version = self.rfile.readline(65536).decode("latin-1").split()
        headers = {}
        while (line := self.rfile.readline(65536)).strip():
            field, _, value = line.decode("latin-1").partition(":")
            headers[field.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        body = self.rfile.read(length) if length <= BODY_LIMIT else b""
        if not line or len(body) < length:  # cut off: what came may be valid JSON, but must change nothing
            return False
        status, envelope = respond(method, target, body)
        data = json.dumps({**envelope, "timestamp": int(time.time())}).encode()
        head = (f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n")
        self.wfile.write(head.encode() + data)  # in one piece, or the second may be delayed
        return version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"

class Server(socketserver.ThreadingTCPServer):  # a thread per connection
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 256

if __name__ == "__main__":
    options = argparse.ArgumentParser(description="A server for docs/contract.md")
    options.add_argument("--listen", default="127.0.0.1:8080", metavar="HOST:PORT")
    options.add_argument("--saves", default="saves", metavar="DIR")
    options = options.parse_args()
    os.makedirs(options.saves, exist_ok=True)
    os.chdir(options.saves)  # all file names are relative to it
    host, port = options.listen.rsplit(":", 1)
    with Server((host, int(port)), Handler) as server:
        threading.Thread(target=end_reservations, daemon=True).start()
        print(f"listening on http://{host}:{server.server_address[1]}", flush=True)
        server.serve_forever()
