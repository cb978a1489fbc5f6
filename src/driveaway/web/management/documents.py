"""What is answered, in hawkBit's names: the types that the door's description is made of.

Fields that say nothing are left out, so what need not be there is not required here.
"""

from __future__ import annotations

from typing import Generic, Literal, NotRequired, TypedDict, TypeVar

from driveaway.updates.model import ActionStatus, ActionType, TargetStatus
from driveaway.updates.rollouts.plan import RolloutStatus

Element = TypeVar("Element")


class Link(TypedDict):
    """A HAL link."""

    href: str
    name: NotRequired[str]


Links = dict[str, Link]


class Page(TypedDict, Generic[Element]):
    """A part of a list: ``size`` entries of ``total``."""

    content: list[Element]
    total: int
    size: int


class Failure(TypedDict):
    """What went wrong: as hawkBit says it, and in ``code`` as Driveaway does."""

    exceptionClass: str
    errorCode: str
    message: str
    code: str


class _Kept(TypedDict):
    createdAt: int
    lastModifiedAt: int
    _links: Links


class _Named(_Kept):
    id: int
    name: str
    description: NotRequired[str]


class User(TypedDict):
    """Who one is."""

    tenant: str
    username: str
    roles: list[str]


SettingDocument = TypedDict(
    "SettingDocument",
    {"value": str | int | bool, "global": bool, "_links": Links},
)


class PollStatus(TypedDict):
    """When a target asked last, and is to ask next."""

    lastRequestAt: int
    nextExpectedRequestAt: int
    overdue: bool


class TargetDocument(_Kept):
    """A car."""

    controllerId: str
    name: str
    description: NotRequired[str]
    group: NotRequired[str]
    updateStatus: TargetStatus
    lastControllerRequestAt: NotRequired[int]
    installedAt: NotRequired[int]
    ipAddress: NotRequired[str]
    address: NotRequired[str]
    pollStatus: NotRequired[PollStatus]
    securityToken: NotRequired[str]
    requestAttributes: bool
    targetTypeName: NotRequired[str]
    autoConfirmActive: NotRequired[bool]


class NoteDocument(TypedDict):
    """A note; whether cars see it is said of modules' alone."""

    key: str
    value: str
    targetVisible: NotRequired[bool]


class TagDocument(TypedDict):
    """A tag."""

    name: str


class AutoConfirmDocument(TypedDict):
    """Whether a target confirms by itself."""

    active: bool
    initiator: NotRequired[str]
    remark: NotRequired[str]
    activatedAt: NotRequired[int]
    _links: Links


class WindowDocument(TypedDict):
    """A maintenance window, and when it opens next."""

    schedule: str
    duration: str
    timezone: str
    nextStartAt: NotRequired[int]


class ActionDocument(_Kept):
    """What a target is asked to install, and how that stands."""

    id: int
    createdBy: NotRequired[str]
    type: Literal["update", "cancel"]
    status: Literal["pending", "finished"]
    detailStatus: ActionStatus
    active: bool
    forceType: ActionType
    forceTime: NotRequired[int]
    weight: NotRequired[int]
    maintenanceWindow: NotRequired[WindowDocument]
    rollout: NotRequired[int]
    rolloutName: NotRequired[str]
    lastStatusCode: NotRequired[int]
    externalRef: NotRequired[str]


class MessageDocument(TypedDict):
    """What was said about an action."""

    id: int
    type: ActionStatus
    messages: list[str]
    reportedAt: int
    timestamp: int
    code: NotRequired[int]


class AssignedAction(TypedDict):
    """An action that an assignment made."""

    id: int
    _links: Links


class PassedOver(TypedDict):
    """A target that was not given a set, since it does not fit."""

    controllerId: str
    reason: str


class Assignment(TypedDict):
    """What an assignment came to; ``passedOver`` is not hawkBit's."""

    alreadyAssigned: int
    assignedActions: list[AssignedAction]
    assigned: int
    total: int
    passedOver: NotRequired[list[PassedOver]]


class KindDocument(TypedDict):
    """A type of distribution sets; what was declared says since when."""

    id: int
    key: str
    name: str
    description: str
    colour: NotRequired[str]
    deleted: bool
    createdAt: NotRequired[int]
    lastModifiedAt: NotRequired[int]
    _links: Links


class ModuleKindDocument(KindDocument):
    """A type of modules, and how many of it a set may have."""

    maxAssignments: int


class ModuleDocument(_Named):
    """A software module."""

    version: str
    type: str
    typeName: str
    vendor: NotRequired[str]
    locked: bool
    deleted: bool
    encrypted: bool


class HashesDocument(TypedDict):
    """Hashes of a file, in lower-case hexadecimal digits."""

    sha1: str
    md5: str
    sha256: str


class ArtifactDocument(_Kept):
    """A file of a module."""

    hashes: HashesDocument
    providedFilename: str
    size: int
    id: int


class SetDocument(_Named):
    """A distribution set."""

    version: str
    modules: list[ModuleDocument]
    requiredMigrationStep: bool
    type: str
    typeName: str
    complete: bool
    locked: bool
    deleted: bool
    valid: bool


class SetStatistics(TypedDict):
    """Actions and rollouts of a set by state."""

    totalActionsPerStatus: dict[str, int]
    totalRolloutsPerStatus: dict[str, int]
    totalAutoAssignments: int


class FilterDocument(_Named):
    """A target filter, and what it gives."""

    query: str
    autoAssignDistributionSet: NotRequired[int]
    autoAssignActionType: NotRequired[ActionType]
    autoAssignWeight: NotRequired[int]


class RolloutDocument(_Named):
    """A rollout; the counts stand with details."""

    createdBy: NotRequired[str]
    targetFilterQuery: str
    distributionSetId: int
    status: RolloutStatus
    totalTargets: int
    deleted: bool
    type: ActionType
    weight: int
    dynamic: bool
    totalTargetsPerStatus: NotRequired[dict[str, int]]
    totalGroups: NotRequired[int]
    startAt: NotRequired[int]
    approveDecidedBy: NotRequired[str]
    approvalRemark: NotRequired[str]
    statusReason: NotRequired[str]


class ConditionDocument(TypedDict):
    """When a group has succeeded, or failed."""

    condition: str
    expression: str


class ActionAfter(TypedDict):
    """What follows."""

    action: str
    expression: str


class GroupDocument(TypedDict):
    """A group of a rollout; the conditions stand where it has hawkBit's."""

    id: int
    name: str
    description: str
    status: str
    totalTargets: int
    totalTargetsPerStatus: dict[str, int]
    dynamic: bool
    targetFilterQuery: NotRequired[str]
    targetPercentage: NotRequired[float]
    successCondition: NotRequired[ConditionDocument]
    successAction: NotRequired[ActionAfter]
    errorCondition: NotRequired[ConditionDocument]
    errorAction: NotRequired[ActionAfter]
    confirmationRequired: NotRequired[bool]
    _links: Links
