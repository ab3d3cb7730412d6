"""The items of a collection as steps: folders as groups, requests in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.postman.auths import INHERITED, read_auth
from planrunner.importers.formats.postman.bodies import PostmanBodies
from planrunner.importers.formats.postman.requests import read_request
from planrunner.importers.formats.postman.scripts.effects import ScriptEffect, ScriptFolder
from planrunner.importers.formats.postman.scripts.events import effects_of
from planrunner.importers.nodes import SourceNode
from planrunner.importers.templates import literal

__all__ = ["CollectionReader", "names_of", "scripts_of"]

_QUIET = ("id", "_postman_id", "uid", "_postman_isSubFolder", "createdAt", "updatedAt", "variable")

_REDIRECTS = ("followOriginalHttpMethod", "followAuthorizationHeader", "maxRedirects")


@dataclass(frozen=True)
class _Around:
    """What folders above say of a request."""

    auth: object
    effect: ScriptEffect
    folders: tuple[str, ...]


@dataclass
class CollectionReader:
    """Reads the items of one collection."""

    scripts: ScriptFolder
    bodies: PostmanBodies
    counts: Counter[str]

    def steps(self, root: SourceNode) -> list[DraftStep]:
        """Return the steps of a collection."""
        auth = read_auth(root, self.scripts.variables)
        events = _events(root)
        around = _Around(auth, effects_of(events, self.scripts, ScriptEffect(), None), ())
        return self._items(root, around)

    def _items(self, owner: SourceNode, around: _Around) -> list[DraftStep]:
        listed = owner.take("item")
        if listed is None:
            return []
        items = [one for one in listed.each() if one.is_mapping]
        steps: list[DraftStep] = []
        for number, one in enumerate(items):
            following = _first_name(items[number + 1]) if number + 1 < len(items) else None
            steps += self._item(one, around, following)
        return steps

    def _item(self, item: SourceNode, around: _Around, following: str | None) -> list[DraftStep]:
        for key in _QUIET:
            if key != "variable" or item.get("request") is not None:
                item.take_whole(key)
        name = _line(item.take("name"))
        note = _description(item)
        if item.get("item") is None:
            return self._request(item, name, around, following)
        effect = effects_of(_events(item), self.scripts, around.effect.copied(), None)
        inner = replace(
            around,
            auth=self._auth(item, around),
            effect=effect,
            folders=(*around.folders, name),
        )
        item.take_whole("protocolProfileBehavior")
        steps = self._items(item, inner)
        if not steps:
            return []
        group = DraftStep({"group": literal(name) or "folder", "do": steps}, origin=item.place)
        group.notes = note
        return [group]

    def _request(
        self, item: SourceNode, name: str, around: _Around, following: str | None
    ) -> list[DraftStep]:
        item.take_whole("response")  # examples of replies
        request = item.take("request")
        if request is None:
            return []
        made = read_request(request, self.scripts.variables, self.bodies)
        effect = effects_of(_events(item), self.scripts, around.effect.copied(), following)
        if made is None:
            return []
        keys, verb = made
        auth = self._auth(request, around)
        body: Keys = {verb: keys.pop(verb)}
        if name:
            body["name"] = self._unique(name, around.folders)
        body |= keys
        if auth is not INHERITED:
            body["auth"] = auth
        body |= _behavior(item)
        if effect.expect.keys:
            body["expect"] = effect.expect.keys
        if effect.extract:
            body["extract"] = effect.extract
        step = DraftStep(body, origin=item.place, notes=_description(request))
        return [*effect.before, step, *effect.after]

    def _auth(self, holder: SourceNode, around: _Around) -> object:
        """Return how to authenticate; `none` says something only below what says how."""
        auth = read_auth(holder, self.scripts.variables)
        is_plain = auth is INHERITED or (auth == "none" and around.auth is INHERITED)
        return around.auth if is_plain else auth

    def _unique(self, name: str, folders: tuple[str, ...]) -> str:
        """Return a request's name, with its folders where another one has the same name."""
        if self.counts[name] > 1 and folders:
            name = " / ".join([*folders, name])
        return literal(name)


def names_of(owner: SourceNode) -> Iterator[str]:
    """Yield the names of all requests."""
    listed = owner.get("item")
    for one in listed.each() if listed is not None else ():
        if one.get("item") is not None:
            yield from names_of(one)
        elif one.is_mapping:
            yield _line(one.get("name"))


def scripts_of(owner: SourceNode) -> Iterator[str]:
    """Yield the texts of all scripts."""
    for entry in owner.below():
        if entry.key == "exec":
            yield "\n".join(one.text() for one in entry.node.each())


def _events(owner: SourceNode) -> list[SourceNode]:
    found = owner.take("event") or owner.take("events")
    return found.each() if found is not None else []


def _first_name(item: SourceNode) -> str:
    return next(names_of(item), "") if item.get("item") is not None else _line(item.get("name"))


def _line(node: SourceNode | None) -> str:
    return " ".join(node.text().split()) if node is not None else ""


def _description(owner: SourceNode) -> list[str]:
    """Return the first line of a description as a note."""
    node = owner.take("description")
    if node is None:
        return []
    content = node.get("content") if node.is_mapping else node
    node.whole()
    text = content.text().strip() if content is not None else ""
    return [text.splitlines()[0][:200]] if text else []


def _behavior(item: SourceNode) -> Keys:
    node = item.take("protocolProfileBehavior")
    if node is None or not node.is_mapping:
        return {}
    found: Keys = {}
    for entry in node.entries or ():
        entry.construct.translated()
        entry.node.whole()
        if entry.key == "followRedirects" and entry.node.scalar is False:
            found["follow_redirects"] = False
        elif entry.key == "strictSSL" and entry.node.scalar is False:
            entry.construct.changed(
                "certificates are checked: `http: {verify: false}` turns it off"
            )
        elif entry.key in _REDIRECTS and entry.node.scalar not in (None, False):
            entry.construct.left_out("redirects are followed as browsers do")
    return found
