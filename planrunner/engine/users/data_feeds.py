"""Rows of test data for users: drawn as a user starts, or anew for each iteration.

| per  | order               | the row comes from                                               |
|------|---------------------|------------------------------------------------------------------|
| any  | random              | the user's own stream, with repetition                           |
| any  | sequential, shuffle | one sequence for all users; when it ends, `on_end`               |
| any  | unique              | one sequence without repetition; random is a shuffle             |
| user | unique              | the same, then rows that users gave back; when none is, `on_end` |
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from random import Random
from typing import Any, Final

from planrunner.data.tables import AllRows, RowFault, Table
from planrunner.engine.recording.counters import Counters
from planrunner.engine.stop import Ending, Stop
from planrunner.engine.users.source_rows import data_stream, source_table
from planrunner.errors import CannotRun
from planrunner.graph.data import DataNode, OnEnd, Order
from planrunner.graph.run_graph import RunGraph, UserProgram
from planrunner.language.expressions.values import EvaluationError, Scope
from planrunner.language.fields.rows import rows_key
from planrunner.language.files import FileFault
from planrunner.schedule.partition import ALL, WorkerShare
from planrunner.values import dataclass

__all__ = [
    "NO_FEEDS",
    "ClassFeeds",
    "Feed",
    "Feeds",
    "data_fault",
    "open_feed",
    "rows_once_dealt",
]

DrawRow = Callable[[Random], object]
"""Gives the next row for the user with this stream; raises StopIteration when none is left."""


class Feed:
    """The rows of one source on this worker.

    Attributes:
        draw: A plain attribute, as every iteration calls it.
    """

    __slots__ = ("_returned", "_table", "draw", "name", "node")

    def __init__(
        self, node: DataNode, table: Table, draw: DrawRow, returned: deque[object] | None
    ) -> None:
        self.node = node
        self.name = node.name
        self.draw = draw
        self._table = table
        self._returned = returned

    def tell_secrets(self, learn: Callable[[object], None]) -> None:
        """Let `learn` have the secrets of each row before a user gets it."""
        node, draw = self.node, self.draw
        if node.is_secret:

            def draw_value(rng: Random) -> object:
                value = draw(rng)
                learn(value)
                return value

            self.draw = draw_value
        elif node.secret:

            def draw_row(rng: Random) -> object:
                row = draw(rng)
                assert isinstance(row, Mapping)  # a source with columns
                for column in node.secret:
                    learn(row.get(column))
                return row

            self.draw = draw_row

    def give_back(self, row: object) -> None:
        """Let another user have the row."""
        if self._returned is not None:
            self._returned.append(row)

    def close(self) -> None:
        self._table.close()


@dataclass(frozen=True, slots=True)
class ClassFeeds:
    """What the users of one class draw from.

    Attributes:
        per_user: Drawn once, as a user starts.
        per_iteration: Drawn before each iteration.
        whole: All rows of sources, by what scopes call them.
        ended: Told which source had no row, and why if it was no plain end.
    """

    per_user: tuple[Feed, ...] = ()
    per_iteration: tuple[Feed, ...] = ()
    whole: Mapping[str, AllRows] = field(default_factory=dict)
    ended: Callable[[Feed, str], None] = lambda _feed, _why: None

    def start(self, scope: Scope, rng: Random) -> bool:
        """Draw what lasts for the user's life; False when it can't live."""
        scope.update(self.whole)
        return self._draw(self.per_user, scope, rng)

    def iterate(self, scope: Scope, rng: Random) -> bool:
        """Draw what lasts for an iteration; False when it can't be."""
        return self._draw(self.per_iteration, scope, rng)

    def end(self, scope: Scope) -> None:
        """Give back what the user has held."""
        for feed in self.per_user:
            if feed.name in scope:
                feed.give_back(scope.pop(feed.name))

    def _draw(self, feeds: tuple[Feed, ...], scope: Scope, rng: Random) -> bool:
        for feed in feeds:
            try:
                scope[feed.name] = feed.draw(rng)
            except StopIteration:
                self.ended(feed, "")
                return False
            except (RowFault, EvaluationError, FileFault, OSError) as error:
                self.ended(feed, data_fault(feed.node, error))
                return False
        return True


NO_FEEDS: Final = ClassFeeds()


class Feeds:
    """The sources of a run that some class draws from, opened.

    Raises:
        CannotRun: A file can't be had any more, or is another one than was checked.
    """

    def __init__(
        self,
        graph: RunGraph,
        *,
        scope: Scope,
        stop: Stop,
        counters: Counters,
        share: WorkerShare = ALL,
        needs: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        self._stop = stop
        self._counters = counters
        wanted = {key for program in graph.programs() for key in program.data}
        self._feeds = {
            node.key: open_feed(
                node, seed=graph.seed, scope=scope, share=share, needs=(needs or {}).get(node.key)
            )
            for node in graph.data
            if node.key in wanted
        }
        whole = {key for program in graph.programs() for key in program.rows}
        self._whole = {
            node.key: (node, _all_rows(node, graph.seed, scope))
            for node in graph.data
            if node.key in whole
        }

    def tell_secrets(self, learn: Callable[[object], None]) -> None:
        """Let `learn` have the secrets of each row before a user gets it; call it once."""
        for feed in self._feeds.values():
            feed.tell_secrets(learn)
        for node, rows in self._whole.values():
            for row in rows:
                for column in node.secret:
                    learn(row.get(column) if isinstance(row, Mapping) else None)

    def of(self, program: UserProgram) -> ClassFeeds:
        """Return what the users of a class have of the sources that it reads."""
        if not (program.data or program.rows):
            return NO_FEEDS
        feeds = [self._feeds[key] for key in program.data]
        whole = (self._whole[key] for key in program.rows)
        return ClassFeeds(
            tuple(feed for feed in feeds if feed.node.per_user),
            tuple(feed for feed in feeds if not feed.node.per_user),
            {rows_key(node.name): rows for node, rows in whole},
            self._ended,
        )

    def close(self) -> None:
        for feed in self._feeds.values():
            feed.close()

    def _ended(self, feed: Feed, why: str) -> None:
        node = feed.node
        self._counters.rows_ended[node.name] += 1
        if why:
            self._stop.request(why, ending=Ending.CANNOT_RUN)
        elif node.on_end is OnEnd.STOP_PLAN:
            self._stop.request(_no_row(node), ending=Ending.FINISHED, among=("rows", node.key))
        elif node.on_end is OnEnd.ERROR:
            self._stop.request(_no_row(node), ending=Ending.CANNOT_RUN, among=("rows", node.key))


def open_feed(
    node: DataNode,
    *,
    seed: int,
    scope: Scope,
    share: WorkerShare = ALL,
    needs: Sequence[int] | None = None,
) -> Feed:
    """Open one source.

    Args:
        node: The source.
        seed: The run's; every draw that isn't a user's own comes from it and the source's name.
        scope: What made-up rows may read: params, `run`, `now`.
        share: Which rows are this worker's.
        needs: For rows that users hold: how many users each worker has at most.

    Raises:
        CannotRun: It can't be read.
    """
    if node.workers:  # the file has their rows in the order in which they are drawn
        share, node = share.among(node.workers), replace(node, order=Order.SEQUENTIAL)
        needs = [needs[worker] for worker in node.workers] if needs else ()
    try:
        table = source_table(node, seed, scope)
        if node.order is Order.RANDOM and not node.unique:
            places = table.places()
            return Feed(node, table, partial(_pick, places, table.at, len(places)), None)
        if not node.is_held:
            rows = _rows(node, table, seed, share.dealt)
            return Feed(node, table, partial(_next, rows.__next__), None)
        rows = _rows(node, table, seed, partial(share.reserved, needs=needs or ()))
        returned: deque[object] = deque()
        return Feed(node, table, partial(_next_free, rows, returned), returned)
    except (RowFault, EvaluationError, FileFault, OSError) as error:
        raise CannotRun(data_fault(node, error), hint=getattr(error, "hint", "")) from error


def _all_rows(node: DataNode, seed: int, scope: Scope) -> AllRows:
    """Read all rows of a source; raises CannotRun."""
    try:
        table = source_table(node, seed, scope)
        try:
            return AllRows(table.stream())
        finally:
            table.close()
    except (RowFault, EvaluationError, FileFault, OSError) as error:
        raise CannotRun(data_fault(node, error), hint=getattr(error, "hint", "")) from error


def _pick(places: array[int], at: Callable[[int], object], count: int, rng: Random) -> object:
    return at(places[int(rng.random() * count)])


def _next(following: Callable[[], object], _: Random) -> object:
    return following()


def _next_free(fresh: Iterator[object], returned: deque[object], _: Random) -> object:
    """Return an unused row, then the one that was given back first."""
    for row in fresh:
        return row
    if returned:
        return returned.popleft()
    raise StopIteration


def _rows(
    node: DataNode, table: Table, seed: int, mine: Callable[[Iterator[Any]], Iterator[Any]]
) -> Iterator[object]:
    """Return the rows of this worker, in the order in which its users draw them."""
    again = node.on_end is OnEnd.CYCLE and not node.unique
    if node.order is Order.SEQUENTIAL:
        return mine(_in_order(table, again=again))
    # The places are listed here: the first draw must not have to wait for that.
    places = table.places()
    return map(table.at, mine(_shuffled(places, data_stream(seed, node.name), again=again)))


def rows_once_dealt(node: DataNode, table: Table, seed: int, workers: int) -> array[int] | None:
    """Return the places of all rows in the order in which the users of all workers draw them.

    None where it isn't known before the run which worker draws which row.
    """
    if node.order is Order.RANDOM and not node.unique:
        return None
    places = table.places()
    if node.on_end is not OnEnd.CYCLE or node.unique:
        in_order = node.order is Order.SEQUENTIAL
        rng = data_stream(seed, node.name)
        return places if in_order else array("q", _shuffled(places, rng, again=False))
    # They come again: to the same worker only if all have as many.
    stays = node.order is Order.SEQUENTIAL and len(places) % workers == 0
    return places if stays else None


def _in_order(table: Table, *, again: bool) -> Iterator[object]:
    found = True
    while found:
        found = False
        for row in table.stream():
            found = again
            yield row


def _shuffled(places: array[int], rng: Random, *, again: bool) -> Iterator[int]:
    """Yield all places in random order, in another one each time around.

    Fisher-Yates, a step a draw: the first row doesn't wait for ten million swaps.
    """
    random, count = rng.random, len(places)
    while count:
        for first in range(count):
            other = first + int(random() * (count - first))
            place = places[other]
            places[other] = places[first]
            places[first] = place
            yield place
        if not again:
            return


def _no_row(node: DataNode) -> str:
    if node.is_held:
        return f"no row of `{node.name}` is free: users hold all of them"
    return f"no row of `{node.name}` is left"


def data_fault(node: DataNode, error: Exception) -> str:
    """Return what went wrong with the rows of a source, in words."""
    if isinstance(error, RowFault):
        # Of a file with some of the rows, a line is none of the author's file.
        said = f"{node.file}: {error.message}" if node.workers else error.said_of(node.file)
        return f"data `{node.name}`: {said}"
    if isinstance(error, FileFault):
        return f"data `{node.name}`: `{node.file}` {error.message}"
    return f"data `{node.name}`: {error}"
