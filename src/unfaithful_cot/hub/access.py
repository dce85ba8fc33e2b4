"""Who may read and write what on the Hugging Face Hub, asked before any work.

In: a repository with its revision, or a namespace. Out: the commit that the revision means now, or the user's name.
Errors: EndpointError for a repository that is missing, gated or of another kind, a revision that does not exist, a
token that is missing, wrong or may not write, and a Hub that does not answer; StorageError for a full disk.
The address is HF_ENDPOINT, the token HF_TOKEN (environment, `hf auth login`, or `.env`); a token is held in memory
only and never stands in a message.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from unfaithful_cot import jsonl
from unfaithful_cot.errors import EndpointError, StorageError, WorkflowError, first_line

Kind = Literal["model", "dataset"]
TIMEOUT_S = 20.0


class Found(NamedTuple):
    """A repository as the Hub describes it. `licence`: of its card, None where it states none."""

    commit: str
    private: bool
    gated: bool
    licence: str | None


def check_repository(repo: str, revision: str | None = None, kind: Kind = "model") -> Found:
    """What `revision` (None: main) of a repository is now, if its files may be read with the token that is there.

    repo: OWNER/NAME. Asks the Hub two or three times; downloads nothing. Raises: EndpointError.
    """
    api = client()
    with hub_errors(repo, revision, kind):
        info = api.repo_info(repo, revision=revision, repo_type=kind, timeout=TIMEOUT_S)
        if info.gated or info.private:  # what a gated repository is may be known to all, its files may not
            api.auth_check(repo, repo_type=kind)
    card = info.card_data
    licence = card.get("license") if card else None
    return Found(
        str(info.sha),
        bool(info.private),
        bool(info.gated),
        ", ".join(licence) if isinstance(licence, list) else licence,
    )


def check_namespace(namespace: str) -> str:
    """The name of the user whose token may create repositories and write in `namespace`. Raises: EndpointError."""
    if not token():
        raise EndpointError("HF_TOKEN", "there is no token, and uploads need one", todo=MAKE_TOKEN)
    with hub_errors("HF_TOKEN", None, "model"):
        who = client().whoami()
    user, orgs = str(who["name"]), {org["name"]: org.get("roleInOrg") for org in who.get("orgs", [])}
    if namespace != user and namespace not in orgs:
        raise EndpointError(
            "hub.namespace",
            f"the token is of '{user}', who is not a member of '{namespace}'",
            f"One of: {', '.join([user, *sorted(orgs)])}",
            "Correct hub.namespace, or use a token of that organisation",
        )
    if not _may_write(who.get("auth", {}).get("accessToken", {}), namespace, orgs.get(namespace, "admin")):
        raise EndpointError(
            "HF_TOKEN", f"the token of '{user}' may not write in '{namespace}'", todo=MAKE_TOKEN
        )
    return user


def check_access(access: str, namespace: str) -> None:
    """Rule check_access: may this token publish in `namespace`? Writes who it is; asked before the study is run."""
    jsonl.write_json(access, {"user": check_namespace(namespace), "namespace": namespace})


MAKE_TOKEN = "Make one with write access at huggingface.co/settings/tokens and put it into HF_TOKEN"


def _may_write(access: dict[str, Any], namespace: str, role: str | None) -> bool:
    """Whether a token's own rights and the role of its user allow writing. Rights that are not told count as there."""
    if role == "read":
        return False
    if access.get("role") != "fineGrained":
        return access.get("role") != "read"
    rights = access.get("fineGrained", {})
    return any(
        "repo.write" in scope.get("permissions", []) and scope.get("entity", {}).get("name") == namespace
        for scope in rights.get("scoped", [])
    )


def token() -> str | None:
    """The token: HF_TOKEN of the environment, that of `hf auth login`, or HF_TOKEN in `.env`; None without one."""
    from dotenv import dotenv_values
    from huggingface_hub import get_token

    file = Path.cwd() / ".env"
    found = get_token() or (dotenv_values(file).get("HF_TOKEN") if file.is_file() else None)
    return found.strip() or None if found else None


def client() -> Any:
    """The library's client, with the token."""
    from huggingface_hub import HfApi

    return HfApi(token=token() or False, library_name="unfaithful-cot")


@contextlib.contextmanager
def hub_errors(where: str, revision: str | None, kind: Kind) -> Iterator[None]:
    """Turn what the library raises into one message. where: the repository, or the setting that is to blame."""
    from httpx2 import HTTPError
    from huggingface_hub import errors

    at = f"'{revision}'" if revision else "main"
    try:
        yield
    except errors.GatedRepoError:
        raise EndpointError(where, *_gated(where)) from None
    except errors.RepositoryNotFoundError:
        raise EndpointError(where, *_missing(kind)) from None
    except errors.RevisionNotFoundError:
        raise EndpointError(
            where,
            f"there is no revision {at}",
            "A branch, a tag or a commit of the repository",
            "Correct the revision, or leave it out for main",
        ) from None
    except (errors.HFValidationError, errors.DisabledRepoError) as error:
        raise EndpointError(
            where, f"is no repository that can be used ({first_line(error)[:150]})", "OWNER/NAME"
        ) from None
    except errors.HfHubHTTPError as error:
        raise EndpointError(where, *_refused(error)) from None
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, HTTPError) as error:
        raise EndpointError(
            where,
            f"the Hub cannot be reached ({first_line(error)[:150]})",
            todo="Check the network, HF_ENDPOINT and HF_HUB_OFFLINE, then run the same command again",
        ) from None
    except OSError as error:
        raise _broken(where, error) from None


def _broken(where: str, error: OSError) -> WorkflowError:
    """Of an error without a number the library is the author: a download that did not come whole."""
    if error.errno is None:
        again = "Run the same command again; what came is kept"
        return EndpointError(where, f"did not come whole ({first_line(error)[:150]})", todo=again)
    return StorageError(
        error.filename or where,
        f"cannot be written ({error.strerror})",
        todo="Free space, or set HF_HOME to a folder of another disk, then run the same command again",
    )


def _gated(repo: str) -> tuple[str, str, str]:
    page = f"huggingface.co/{repo}"
    if token() is None:
        todo = f"Ask for access at {page}, then put a token of that account into HF_TOKEN"
        return "the repository is gated and there is no token", "", todo
    todo = f"Accept its conditions at {page} with that account, or use a token of one that has access"
    return "the repository is gated, and the token's account has no access to it", "", todo


def _missing(kind: Kind) -> tuple[str, str, str]:
    return (
        f"no {kind} repository of this name can be seen {'with the' if token() else 'without a'} token",
        f"OWNER/NAME of a {kind} repository on the Hub",
        "Check the spelling; a private repository needs HF_TOKEN of an account that may read it",
    )


def _refused(error: Any) -> tuple[str, str, str]:
    status = error.response.status_code
    if status == 401:
        return ("the Hub does not know the token", "", f"HF_TOKEN is wrong or was revoked. {MAKE_TOKEN}")
    if status == 403:
        return ("the token has no right to do this", "", MAKE_TOKEN)
    said = error.server_message or first_line(error)
    todo = "Run the same command again later; what was finished is kept"
    return f"the Hub answers with status {status} ({said[:150]})", "", todo
