"""The trials: all probes with all permissions, then a probe without each permission."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local.console import step
from local.sandbox import Sandbox
from tests.permissions.authorization import AuthorizationLog, Decision
from tests.permissions.probe import Probe, ProbeContext, ProbeFailed, Trial
from tests.permissions.probes import PROBES
from tests.permissions.resources import DeployedResources
from tests.permissions.roles import Permission, Role, bootstrap_role_names, permissions_of, revoked, stack_roles
from tests.permissions.unexercised import obsolete_reasons, reason_for

_MAX_FAILURE_LENGTH = 140  # characters of a failure that the console shows


@dataclass
class Finding:
    """The result of the trials for one permission.

    Attributes:
        used_by: Probes that made a request which the permission covers.
        failed: The probe that failed without the permission, or None if none did or none ran.
    """

    permission: Permission
    used_by: Sequence[Probe] = ()
    failed: Probe | None = None


@dataclass
class Findings:
    """The results of the trials for all permissions.

    Attributes:
        items: One finding per permission.
        empty_roles: Roles without permissions.
        cdk_roles: Roles that the CDK creates for itself, which the trials do not cover.
        requests: Number of authorization decisions in the run with all permissions.
        problems: Violations of least privilege, one line each.
    """

    items: list[Finding] = field(default_factory=list)
    empty_roles: list[Role] = field(default_factory=list)
    cdk_roles: list[str] = field(default_factory=list)
    requests: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Add the results about other roles."""
        self.items += other.items
        self.requests += other.requests
        self.problems += other.problems

    @property
    def necessary(self) -> list[Finding]:
        """Permissions without which a probe failed."""
        return [it for it in self.items if it.failed]

    @property
    def unexercised(self) -> list[Finding]:
        """Permissions that the sandbox cannot exercise."""
        return [it for it in self.items if reason_for(it.permission)]


class PermissionTrials:
    """Trials of the roles in a sandbox."""

    def __init__(
        self,
        sandbox: Sandbox,
        log: AuthorizationLog,
        probes: Sequence[Probe] = PROBES,
        select: Callable[[Role], bool] | None = None,
    ) -> None:
        """Prepare the trials.

        Args:
            sandbox: The stacks that the probes need must be deployed, or all for the default probes.
            log: The decisions of IAM.
            probes: Use each permission of the selected roles.
            select: Which roles to try. The default is all.
        """
        self._sandbox = sandbox
        self._probes = probes
        self._all_roles = select is None
        resources = DeployedResources(sandbox)
        self._context = ProbeContext(sandbox, resources, log)
        roles, self._provider_roles = stack_roles(resources)
        self._permissions = {
            role: permissions_of(sandbox, resources, role) for role in roles if select is None or select(role)
        }

    def run_all_probes(self) -> Findings:
        """Run every probe with all permissions. Raises ProbeFailed if one fails."""
        findings = Findings(
            empty_roles=[role for role, permissions in self._permissions.items() if not permissions],
            cdk_roles=[*(role.path for role in self._provider_roles), *bootstrap_role_names(self._sandbox)],
        )
        used_by: dict[Permission, list[Probe]] = {it: [] for of_role in self._permissions.values() for it in of_role}
        for probe in self._probes:
            decisions = self._run(probe)
            findings.requests += len(decisions)
            denied = {str(it) for it in decisions if not it.allowed and it.request.action not in probe.expected_denials}
            findings.problems += [f"{request}: denied, but needed for: {probe.task}" for request in sorted(denied)]
            for permission, probes in used_by.items():
                if any(it.allowed and permission.covers(it) for it in decisions):
                    probes.append(probe)
        findings.items = [Finding(permission, probes) for permission, probes in used_by.items()]
        unused = [it.permission for it in findings.items if not it.used_by]
        findings.problems += [f"{it.role.path}: {it}: no probe uses it" for it in unused if not reason_for(it)]
        if self._all_roles:
            findings.problems += [f"UNEXERCISED is obsolete for {action}" for action in obsolete_reasons(unused)]
        return findings

    def revoke_each(self, findings: Findings, select: Callable[[Permission], bool] = lambda permission: True) -> None:
        """Revoke each selected permission that a probe uses, and record in `findings` which probe fails without it."""
        for role, of_role in self._permissions.items():
            selected = [
                it for it in findings.items if it.permission in of_role and it.used_by and select(it.permission)
            ]
            if not selected:
                continue
            with step(f"{role.path}: {len(selected)} of {len(of_role)} permissions") as notes:
                for finding in selected:
                    finding.failed, note = self._failed_without(finding)
                    notes.append(note)
                    if not finding.failed:
                        findings.problems.append(note)

    def clean_up(self) -> None:
        """Delete leftovers of the probes that could disturb other tests."""
        self._context.clean_up()

    def _failed_without(self, finding: Finding) -> tuple[Probe | None, str]:
        """Return the probe that fails by a denial of the permission, and a line that describes the result."""
        permission, other_failures = finding.permission, ""
        for probe in finding.used_by:
            self._context.wait_until_idle()
            trial, failure = Trial(self._context, permission), ""
            with trial.cleanup, revoked(self._sandbox, permission, self._permissions[permission.role]):
                try:
                    probe.run(trial)
                except ProbeFailed as error:
                    failure = str(error)
                denied = trial.was_denied
                self._context.purge_queues()
            if failure and denied:
                return probe, f"{permission}: {failure.splitlines()[0][:_MAX_FAILURE_LENGTH]}"
            if failure:
                other_failures += f"; failed for another reason: {probe.task}: {failure}"
        return None, f"{permission.role.path}: {permission}: no probe fails without it{other_failures}"

    def _run(self, probe: Probe) -> list[Decision]:
        trial = Trial(self._context)
        with trial.cleanup:
            try:
                probe.run(trial)
            except ProbeFailed as error:
                raise ProbeFailed(f"{probe.task}: {error}") from error
        self._context.wait_until_idle()
        return trial.decisions
