"""Cards for a job: as many as it asks for, each held by nobody else, known to torch before it loads.

In: a number of GPUs. Out: CUDA_VISIBLE_DEVICES of this process names those that it holds, until the block ends.
Errors: MachineError where the machine has fewer than asked for. Where they are held by others, the job waits and says so.

A card is held by a lock of the operating system (flock) on a file of its UUID, so it is free again however the process
dies. The descriptor can be inherited: processes that a job starts with `close_fds=False` keep its cards until the
last of them is gone. All cards of a job are taken at once or none, under one more lock, so that two jobs that want
two cards each never wait for each other with one each. Snakemake's `--resources gpu=N` limits jobs of one run; the
locks hold between runs as well.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import sys
import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from unfaithful_cot.errors import MachineError
from unfaithful_cot.host.machine import Card, cards

FOLDER_VARIABLE = "UNFAITHFUL_COT_GPU_LOCKS"
FOLDER = "/tmp/unfaithful_cot_gpus"  # of this machine, never of a shared disk
POLL_S, SAY_EVERY_S = 0.5, 60.0
log = logging.getLogger(__name__)


@contextlib.contextmanager
def hold_gpus(
    n: int, environ: MutableMapping[str, str] | None = None, folder: Path | str | None = None
) -> Iterator[list[Card]]:
    """Hold n cards of those that CUDA_VISIBLE_DEVICES allows, or of all; name them there while the block runs.

    n = 0 changes nothing. folder: of the locks.
    """
    environ = os.environ if environ is None else environ
    if n < 1:
        yield []
        return
    pool = check_gpus(n, "this job", environ)
    home = Path(folder or environ.get(FOLDER_VARIABLE, FOLDER))
    before = environ.get("CUDA_VISIBLE_DEVICES")
    held = _wait_for(n, pool, home)
    try:
        environ["CUDA_VISIBLE_DEVICES"] = ",".join(card.name for card in held)
        log.info("GPUs: %s", ", ".join(f"{card.name} ({card.model})" for card in held))
        yield list(held)
    finally:
        for descriptor in held.values():
            os.close(descriptor)
        if before is None:
            del environ["CUDA_VISIBLE_DEVICES"]
        else:
            environ["CUDA_VISIBLE_DEVICES"] = before


def check_gpus(n: int, who: str, environ: MutableMapping[str, str] | None = None) -> list[Card]:
    """The cards of this machine, the emptiest first; MachineError where they are fewer than n. who: for the message."""
    pool = cards(environ)
    if len(pool) < n:
        limit = (os.environ if environ is None else environ).get("CUDA_VISIBLE_DEVICES")
        raise MachineError(
            f"GPUs of {who}",
            f"a job asks for {n}, and {len(pool)} can be seen here"
            + (f" (CUDA_VISIBLE_DEVICES={limit})" if limit is not None else ""),
            "`gpus` of the model in config/models.yaml is at most the number of cards",
            "Lower it, take a machine with more GPUs, or use --workflow-profile profiles/slurm; where nvidia-smi is missing, "
            "name the cards in CUDA_VISIBLE_DEVICES",
        )
    return sorted(pool, key=lambda card: (card.used_mb or 0) // 1024)


def _wait_for(n: int, pool: list[Card], home: Path) -> dict[Card, int]:
    """{card: descriptor of its lock}, as soon as n of the pool are free."""
    began = said = time.monotonic()
    while not (held := _take(n, pool, home)):
        if time.monotonic() - said > SAY_EVERY_S or said == began:
            holders = ", ".join(f"{card.name} by process {_holder(home, card)}" for card in pool)
            print(f"waiting for {n} of {len(pool)} GPUs; held: {holders}", file=sys.stderr, flush=True)
            said = time.monotonic()
        time.sleep(POLL_S)
    return held


def _take(n: int, pool: list[Card], home: Path) -> dict[Card, int]:
    """Lock n cards without waiting; nothing where fewer are free."""
    held: dict[Card, int] = {}
    guard = _open(home, "picking")
    try:
        fcntl.flock(guard, fcntl.LOCK_EX)
        for card in pool:
            descriptor = _open(home, card.key)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            held[card] = descriptor
            if len(held) == n:
                break
    finally:
        os.close(guard)
    if len(held) < n:
        for descriptor in held.values():
            os.close(descriptor)
        return {}
    for descriptor in held.values():
        os.set_inheritable(descriptor, True)
        with contextlib.suppress(OSError):  # the file of another user can be locked, not written
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
    return held


def _open(home: Path, name: str) -> int:
    """A descriptor of a lock file, made if need be; other users may lock it as well."""
    if not home.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            home.chmod(0o1777)
    path = home / f"{name}.lock"
    for flags in (os.O_RDWR, os.O_RDWR | os.O_CREAT, os.O_RDONLY):
        try:
            descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except (FileNotFoundError, PermissionError):
            continue
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, 0o666)
        return descriptor
    raise MachineError(path, "cannot be opened", f"A folder that may be written: {FOLDER_VARIABLE}=FOLDER")


def _holder(home: Path, card: Card) -> str:
    try:
        return (home / f"{card.key}.lock").read_text(encoding="ascii").strip() or "unknown"
    except OSError:
        return "unknown"
