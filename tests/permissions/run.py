"""The run: the work of all roles once with all rights, then once without each of them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from local.console import step
from local.sandbox import Sandbox
from tests.permissions.decisions import Decision, Decisions
from tests.permissions.grants import Grant, Role, bootstrap_roles, grants, roles, taken_away
from tests.permissions.names import Names
from tests.permissions.probes import PROBES
from tests.permissions.trial import Bench, Failed, Probe, Trial
from tests.permissions.untried import Untried, idle, reason_of
from tests.permissions.wildcards import Wildcard, has_wildcard, wildcards

_TOLD = 140  # characters of a failure, for whoever watches


@dataclass(frozen=True)
class Finding:
    """What is known of one right.

    used_by: work that needs it, as it seems
    untried: why nothing uses it here
    fails: of the work that failed without it, and how; None if none did, or none was tried
    """

    grant: Grant
    used_by: Sequence[Probe]
    untried: Untried | None
    fails: tuple[Probe, str] | None = None


@dataclass
class Findings:
    """What a run has found, and what is not as it has to be: `problems`, each a line."""

    findings: list[Finding] = field(default_factory=list)
    wildcards: list[Wildcard] = field(default_factory=list)
    idle_roles: list[Role] = field(default_factory=list)  # those without any right
    helpers: list[str] = field(default_factory=list)  # the CDK's own
    calls: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def taken(self) -> list[Finding]:
        """Rights that were taken away, and missed."""
        return [finding for finding in self.findings if finding.fails]

    @property
    def untried(self) -> list[Finding]:
        """Rights that nothing here can use."""
        return [finding for finding in self.findings if finding.untried]


class Privileges:
    """The roles of a sandbox with all stacks deployed, and the work that they do."""

    def __init__(self, sandbox: Sandbox, decisions: Decisions, probes: Sequence[Probe] = PROBES) -> None:
        self._sandbox = sandbox
        self._probes = probes
        self._names = Names(sandbox)
        self._bench = Bench(sandbox, self._names, decisions)
        self._roles, self._helpers = roles(self._names)
        self._grants = {role: grants(sandbox, self._names, role) for role in self._roles}

    def used(self) -> Findings:
        """Do all work with all rights. Raises Failed if some is not done."""
        found = Findings(
            wildcards=wildcards(self._sandbox.cdk.assembly),
            idle_roles=[role for role in self._roles if not self._grants[role]],
            helpers=[*(role.path for role in self._helpers), *bootstrap_roles(self._sandbox)],
        )
        uses: dict[Grant, list[Probe]] = {grant: [] for of_role in self._grants.values() for grant in of_role}
        for probe in self._probes:
            decided = self._decided(probe)
            found.calls += len(decided)
            found.problems += _not_granted(probe, decided)
            for grant, used_by in uses.items():
                if any(made.allowed and grant.covers(made) for made in decided):
                    used_by.append(probe)
        found.findings = [Finding(grant, used_by, reason_of(grant)) for grant, used_by in uses.items()]
        found.problems += _unaccounted(found)
        return found

    def missed(self, found: Findings, chosen: Callable[[Grant], bool] = lambda grant: True) -> None:
        """Take away each right that is chosen and used, and write down in `found` what fails without it."""
        for role, of_role in self._grants.items():
            of_this = [finding for finding in found.findings if finding.grant in of_role and finding.used_by]
            tried = [finding for finding in of_this if chosen(finding.grant)]
            if not tried:
                continue
            with step(f"{role.path}: {len(tried)} of its {len(of_role)} rights taken away, one by one") as told:
                for finding in tried:
                    told.append(self._miss(found, finding))

    def clean(self) -> None:
        """Remove what the work has left, as far as it would trouble others."""
        self._bench.clean()

    def _miss(self, found: Findings, finding: Finding) -> str:
        grant, otherwise = finding.grant, []
        for probe in finding.used_by:
            failure, denied = self._failure(probe, grant)
            if failure and denied:
                missed = Finding(grant, finding.used_by, finding.untried, (probe, failure))
                found.findings[found.findings.index(finding)] = missed
                return f"{grant}: {failure.splitlines()[0][:_TOLD]}"
            if failure:
                otherwise.append(f"; it failed otherwise: {probe.what}: {failure}")
        problem = f"{grant.role.path}: {grant}: nothing fails by being denied it{''.join(otherwise)}"
        found.problems.append(problem)
        return problem

    def _failure(self, probe: Probe, grant: Grant) -> tuple[str, bool]:
        """How this work fails without this right; empty if it does not. And whether it was denied just that."""
        self._bench.settle()
        trial, failure = Trial(self._bench, without=grant), ""
        with trial.afterwards, taken_away(self._sandbox, grant, self._grants[grant.role]):
            try:
                probe.run(trial)
            except Failed as failed:
                failure = str(failed)
            denied = trial.denied
            self._bench.purge()
        return failure, denied

    def _decided(self, probe: Probe) -> list[Decision]:
        trial = Trial(self._bench)
        with trial.afterwards:
            try:
                probe.run(trial)
            except Failed as failed:
                raise Failed(f"{probe.what}: {failed}") from failed
        self._bench.settle()
        return trial.decided


def _not_granted(probe: Probe, decided: Collection[Decision]) -> list[str]:
    denied = {str(made) for made in decided if not made.allowed and made.asked.action not in probe.refused}
    return [f"{what} is not granted, but asked for: {probe.what}" for what in sorted(denied)]


def _unaccounted(found: Findings) -> list[str]:
    """Rights that nothing uses, wildcards without a reason, and reasons for nothing."""
    unused = [finding for finding in found.findings if not finding.used_by]
    patterns = [finding.grant for finding in found.findings if has_wildcard(finding.grant)]
    return [
        *(f"{it.grant.role.path}: {it.grant}: nothing uses it" for it in unused if not it.untried),
        *(f"A reason not to try that nothing needs: {what}" for what in idle(it.grant for it in unused)),
        *(
            f"{grant.role.path}: {grant}: a wildcard without a reason"
            for grant in patterns
            if not any(wildcard.has(grant) for wildcard in found.wildcards)
        ),
        *(
            f"A reason for a wildcard that is not there: {wildcard}"
            for wildcard in found.wildcards
            if not any(wildcard.has(grant) for grant in patterns)
        ),
    ]
