"""The Hub's HTTP interface, as far as huggingface_hub uses it for models, on this machine: for tests.

It keeps repos in memory, as git does: commits of files, large ones by their sha256. It answers what the real one
answers, also to those who ask for what is not there, are not logged in, or ask too often. Large files come from a
"CDN": the same server under another host name, which must not be sent anybody's token.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKENS = {"hf_writer": "write", "hf_reader": "read"}  # of the user "teacher"
OWNER = "teacher"


@dataclass
class Repo:
    private: bool = False
    gated: bool = False
    commits: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)  # (sha, files), the newest last

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        if revision == "main":
            return self.commits[-1]
        return next((commit for commit in self.commits if commit[0].startswith(revision)), None)


class Hub(ThreadingHTTPServer):
    """``asked``: (method, path) of each request; ``fault``: what is answered instead of an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos: dict[str, Repo] = {}
        self.large: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.leaked: list[str] = []  # tokens that came to the CDN
        self.sizes: dict[str, int | None] = {}  # of files by name, where the Hub says another size than they have
        self.fault: tuple[str, int, dict[str, str]] | None = None  # (which paths, status, headers)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, repo: str, files: dict[str, bytes], **how: Any) -> str:
        """A commit, as by somebody who writes what he likes; its sha."""
        there = self.repos.setdefault(repo, Repo(**how))
        sha = hashlib.sha1(f"{repo}{len(there.commits)}".encode()).hexdigest()
        there.commits.append((sha, dict(files)))
        return sha

    def files(self, repo: str) -> dict[str, bytes]:
        return self.repos[repo].commits[-1][1]

    def downloads(self) -> list[str]:
        """The files that were asked for: large ones by HEAD, and their content from the CDN."""
        return [path.split("/resolve/", 1)[1].split("/", 1)[1] for _, path in self.asked if "/resolve/" in path]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self.thread.join()


def is_large(name: str, content: bytes) -> bool:
    return name.endswith((".safetensors", ".bin", ".pt", ".pkl")) or len(content) > 10_000_000


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._route()

    do_HEAD = do_POST = do_PUT = do_GET

    def _route(self) -> None:
        parts = urlsplit(self.path)
        path, self.query = unquote(parts.path), parse_qs(parts.query)
        self.server.asked.append((self.command, path))
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
        token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        self.may = TOKENS.get(token)
        if self.server.fault and re.search(self.server.fault[0], path):
            self._say(self.server.fault[1], {"error": "a fault"}, self.server.fault[2])
            return
        for method, pattern, answer in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and self.command in method:
                answer(self, *found.groups())
                return
        self._say(404, {"error": "no such route"})

    def _say(self, status: int, what: Any = b"", headers: dict[str, str] | None = None) -> None:
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        self.send_response(status)
        headers = {"Content-Length": str(len(body))} | (headers or {})
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _repo(self, name: str) -> Repo | None:
        """The repo, if whoever asks may see it; else the answer was given: the real Hub doesn't say which it was."""
        repo = self.server.repos.get(name)
        if repo is None or (repo.private and not self.may):
            if self.may:
                self._say(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            else:
                self._say(401, {"error": "Invalid username or password."})
            return None
        return repo

    def _commit_at(self, repo: Repo, revision: str) -> tuple[str, dict[str, bytes]] | None:
        found = repo.at(revision)
        if found is None:
            self._say(404, {"error": f"Invalid rev id: {revision}"}, {"X-Error-Code": "RevisionNotFound"})
        return found

    # ---- reading

    def info(self, name: str, revision: str | None) -> None:
        repo = self._repo(name)
        commit = repo and self._commit_at(repo, revision or "main")
        if not commit:
            return
        sha, files = commit
        siblings = []
        for path, content in files.items():
            each: dict[str, Any] = {"rfilename": path}
            if "blobs" in self.query:
                size = self.server.sizes.get(path, len(content))
                each |= {"blobId": hashlib.sha1(content).hexdigest()} | ({} if size is None else {"size": size})
                if is_large(path, content):
                    digest = hashlib.sha256(content).hexdigest()
                    each["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
            siblings.append(each)
        said = {"id": name, "sha": sha, "private": repo.private, "gated": "manual" if repo.gated else False}
        self._say(200, said | {"siblings": siblings, "tags": [], "downloads": 0})

    def resolve(self, name: str, revision: str, path: str) -> None:
        repo = self._repo(name)
        commit = repo and self._commit_at(repo, revision)
        if not commit:
            return
        sha, files = commit
        if repo.gated:
            self._say(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        elif path not in files:
            self._say(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha})
        elif is_large(path, files[path]):
            digest = hashlib.sha256(files[path]).hexdigest()
            self.server.large[digest] = files[path]
            headers = {"X-Repo-Commit": sha, "X-Linked-Size": str(len(files[path])), "X-Linked-Etag": f'"{digest}"'}
            self._say(302, b"", headers | {"Location": f"http://localhost:{self.server.server_port}/cdn/{digest}"})
        else:
            self._say(200, files[path], {"X-Repo-Commit": sha, "ETag": f'"{hashlib.sha1(files[path]).hexdigest()}"'})

    def cdn(self, digest: str) -> None:
        if self.headers.get("authorization"):
            self.server.leaked.append(self.headers["authorization"])
        self._say(200, self.server.large[digest], {"ETag": f'"{digest}"'})

    # ---- writing

    def _writes(self, owner: str = OWNER) -> bool:
        if self.may == "write" and owner == OWNER:
            return True
        status = 403 if self.may else 401
        self._say(status, {"error": "You don't have the rights to do this"}, {"X-Error-Message": "no rights"})
        return False

    def create(self) -> None:
        asked = json.loads(self.body)
        if not self._writes(asked.get("organization") or OWNER):
            return
        name = f"{asked.get('organization') or OWNER}/{asked['name']}"
        if name in self.server.repos:
            self._say(409, {"error": "You already created this model repo", "url": f"{self.server.address}/{name}"})
            return
        private = asked.get("private") or asked.get("visibility") == "private"
        self.server.put(name, {".gitattributes": b"*.safetensors filter=lfs\n"}, private=bool(private))
        self._say(200, {"url": f"{self.server.address}/{name}", "name": name, "id": name})

    def validate(self) -> None:
        import yaml

        content = json.loads(self.body)["content"]
        head = re.match(r"---\n(.*?)\n---\n", content, re.S)
        try:
            read = yaml.safe_load(head.group(1)) if head else None
        except yaml.YAMLError as error:
            self._say(400, {"errors": [{"message": str(error)}], "warnings": []})
            return
        wrong = [] if isinstance(read, dict) and read.get("license") else [{"message": "license is missing"}]
        self._say(400 if wrong else 200, {"errors": wrong, "warnings": []})

    def preupload(self, name: str) -> None:
        if self._writes(name.split("/")[0]) and self._repo(name):
            files = json.loads(self.body)["files"]
            said = [
                {
                    "path": f["path"],
                    "uploadMode": "lfs" if is_large(f["path"], b"") else "regular",
                    "shouldIgnore": False,
                }
                for f in files
            ]
            self._say(200, {"files": said, "commitOid": self.server.repos[name].commits[-1][0]})

    def batch(self, name: str) -> None:
        if not self._writes(name.split("/")[0]):
            return
        objects = []
        for each in json.loads(self.body)["objects"]:
            upload = {"href": f"{self.server.address}/lfs/{each['oid']}"}
            new = each["oid"] not in self.server.large
            objects.append(each | ({"actions": {"upload": upload}} if new else {}))
        self._say(200, {"transfer": "basic", "objects": objects}, {"Content-Type": "application/vnd.git-lfs+json"})

    def store(self, digest: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != digest:
            self._say(400, {"error": "not these bytes"})
            return
        self.server.large[digest] = self.body
        self._say(200)

    def commit(self, name: str) -> None:
        repo = self._writes(name.split("/")[0]) and self._repo(name)
        if not repo:
            return
        files = dict(self.server.files(name))
        for line in self.body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
            elif item["key"] == "deletedFile":
                del files[value["path"]]
        sha = self.server.put(name, files)
        self._say(200, {"success": True, "commitOid": sha, "commitUrl": f"{self.server.address}/{name}/commit/{sha}"})


_NAME = r"([\w.-]+/[\w.-]+)"
_ROUTES = [
    (("GET",), rf"/api/models/{_NAME}(?:/revision/(.+))?", _Handler.info),
    (("GET", "HEAD"), rf"/{_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
    (("GET", "HEAD"), r"/cdn/([0-9a-f]+)", _Handler.cdn),
    (("POST",), r"/api/repos/create", _Handler.create),
    (("POST",), r"/api/validate-yaml", _Handler.validate),
    (("POST",), rf"/api/models/{_NAME}/preupload/main", _Handler.preupload),
    (("POST",), rf"/{_NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    (("PUT",), r"/lfs/([0-9a-f]+)", _Handler.store),
    (("POST",), rf"/api/models/{_NAME}/commit/main", _Handler.commit),
]
