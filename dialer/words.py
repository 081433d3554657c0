"""What every word of the trade is called, in Chinese and in English: one catalogue for the terminal and the pages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dialer.domain.acts import ActKind
from dialer.domain.attempt import AttemptState
from dialer.domain.case import CaseStatus, ErrandState, Reason, RobotState
from dialer.domain.effects import AlarmCode
from dialer.domain.errand import AssignmentState, TransferState, VisitStage, WhoSeen
from dialer.domain.load import LoadState
from dialer.domain.message import MessagePurpose, MessageState
from dialer.domain.pause import PauseScope
from dialer.domain.reach import Reach
from dialer.domain.script_life import RenderState, VersionState
from dialer.domain.stop_payment import PaidWhen, StopResult
from dialer.domain.unit_plan import UnitField
from dialer.domain.values import (
    AmountKind,
    Answer,
    Contact,
    FraudType,
    Grade,
    OutcomeKind,
    Tag,
    TelephonyResult,
    Track,
    WarningKind,
)


class Lang(StrEnum):
    ZH = "zh"
    EN = "en"


def word(member: StrEnum, lang: Lang) -> str:
    """What this member is called. Raises `KeyError` for an enumeration that the catalogue does not know."""
    zh, en = _CATALOGUE[type(member)][member]
    return zh if lang is Lang.ZH else en


_CATALOGUE: Mapping[type[StrEnum], Mapping[str, tuple[str, str]]] = {
    Grade: {
        Grade.EXTRA_HIGH: ("特高危", "extra high"),
        Grade.HIGH: ("高危", "high"),
        Grade.MEDIUM: ("中危", "medium"),
        Grade.LOW: ("低危", "low"),
    },
    ActKind: {
        ActKind.UNIT_ASSIGNED: ("已分拣到单位", "sorted to its unit"),
        ActKind.UNIT_CHANGED: ("移交单位", "handed to another unit"),
        ActKind.UNIT_RAISED: ("逾期未签收，上升一级", "nobody signed: raised one level"),
        ActKind.TRANSFER_ASKED: ("请求转派", "transfer asked"),
        ActKind.TRANSFER_ACCEPTED: ("转派已接收", "transfer accepted"),
        ActKind.TRANSFER_REFUSED: ("转派被退回", "transfer refused"),
        ActKind.CLAIMED: ("领取任务", "taken"),
        ActKind.RELEASED: ("退回队列", "given back"),
        ActKind.LAPSED: ("签收后无动作，退回队列", "signed but idle: back in the queue"),
        ActKind.ACCOUNT_DISABLED: ("账号停用，退回队列", "account disabled: back in the queue"),
        ActKind.CALL_BACK: ("预约回拨", "call-back agreed"),
        ActKind.DIALLED: ("坐席拨号", "dialled from the desk"),
        ActKind.VISIT_ACCEPTED: ("接受上门任务", "visit accepted"),
        ActKind.VISIT_ON_THE_WAY: ("已出发", "on the way"),
        ActKind.VISIT_ARRIVED: ("已到达", "arrived"),
        ActKind.VISIT_SEEN: ("见面情况", "who was seen"),
        ActKind.VISIT_NOTE: ("上门记录", "note of the visit"),
        ActKind.VISIT_PHOTO: ("现场照片", "photo"),
        ActKind.RING_NOW: ("立即呼叫", "ring now"),
        ActKind.GRADE_RAISED: ("人工升级", "grade raised"),
        ActKind.GRADE_LOWERED: ("人工降级", "grade lowered"),
        ActKind.CLOSED: ("人工结案", "closed"),
        ActKind.DUPLICATE: ("标记重复", "marked duplicate"),
        ActKind.OPTED_OUT: ("拒绝机器人来电", "opted out"),
        ActKind.NOTE: ("备注", "note"),
        ActKind.LOAD_WITHDRAWN: ("名单撤回", "list withdrawn"),
    },
    VisitStage: {
        VisitStage.NONE: ("未接受", "not accepted"),
        VisitStage.ACCEPTED: ("已接受", "accepted"),
        VisitStage.ON_THE_WAY: ("途中", "on the way"),
        VisitStage.ARRIVED: ("已到达", "arrived"),
        VisitStage.SEEN: ("已见面", "seen"),
    },
    WhoSeen: {
        WhoSeen.PERSON: ("本人", "the person"),
        WhoSeen.FAMILY: ("家属", "family"),
        WhoSeen.NEIGHBOUR: ("邻居", "a neighbour"),
        WhoSeen.NOBODY: ("无人", "nobody"),
    },
    TransferState: {
        TransferState.ASKED: ("待接收", "waiting for an answer"),
        TransferState.ACCEPTED: ("已接收", "accepted"),
        TransferState.REFUSED: ("已退回", "refused"),
    },
    UnitField: {
        UnitField.NAME: ("名称", "name"),
        UnitField.PARENT: ("上级", "parent"),
        UnitField.LEVEL: ("级别", "level"),
        UnitField.ALIASES: ("别名", "aliases"),
        UnitField.STATE: ("状态", "state"),
    },
    FraudType: {
        FraudType.FAKE_ORDER_REBATE: ("刷单返利", "fake order rebate"),
        FraudType.INVESTMENT: ("虚假网络投资理财", "investment"),
        FraudType.SHOPPING: ("虚假购物服务", "shopping and services"),
        FraudType.FAKE_CUSTOMER_SERVICE: ("冒充电商物流客服", "fake customer service"),
        FraudType.LOAN: ("虚假贷款", "loan"),
        FraudType.CREDIT: ("虚假征信", "credit record"),
        FraudType.BOSS_OR_ACQUAINTANCE: ("冒充领导熟人", "fake boss or acquaintance"),
        FraudType.POLICE_IMPERSONATION: ("冒充公检法及政府机关", "fake police or government"),
        FraudType.ROMANCE: ("网络婚恋交友", "online romance"),
        FraudType.GAME_TRADE: ("网络游戏产品虚假交易", "game item trade"),
        FraudType.UNKNOWN: ("类型未知", "unknown type"),
    },
    WarningKind: {
        WarningKind.FUND: ("资金预警", "money moving"),
        WarningKind.TELECOM: ("通联预警", "call or message"),
        WarningKind.WEB_APP: ("网络预警", "site or app"),
        WarningKind.UNKNOWN: ("预警类型未知", "unknown kind"),
    },
    Tag: {
        Tag.MINOR: ("未成年", "minor"),
        Tag.ELDERLY: ("老年", "elderly"),
        Tag.HEARING: ("听障", "hard of hearing"),
        Tag.MONGOLIAN: ("蒙语", "Mongolian speaker"),
    },
    TelephonyResult: {
        TelephonyResult.ANSWERED: ("接通", "answered"),
        TelephonyResult.BUSY: ("占线", "busy"),
        TelephonyResult.NO_ANSWER: ("无人接听", "no answer"),
        TelephonyResult.FORWARDED: ("呼叫转移", "forwarded"),
        TelephonyResult.MACHINE: ("语音信箱或助理", "voicemail or assistant"),
        TelephonyResult.REJECTED: ("拒接", "rejected"),
        TelephonyResult.POWERED_OFF: ("关机", "switched off"),
        TelephonyResult.INVALID_NUMBER: ("空号", "invalid number"),
        TelephonyResult.BLOCKED: ("被运营商拦截", "blocked by the operator"),
        TelephonyResult.FAILED: ("呼叫失败", "failed"),
        TelephonyResult.CANCELED: ("已取消", "cancelled"),
        TelephonyResult.UNKNOWN: ("是否呼出不明", "not known whether it rang"),
    },
    Contact: {
        Contact.NONE: ("未触达", "nobody reached"),
        Contact.UNVERIFIED: ("未核实身份", "somebody, not verified"),
        Contact.VERIFIED: ("已核身", "the right person, verified"),
    },
    Reach: {
        Reach.NOBODY: ("无人接听", "nobody picked up"),
        Reach.MACHINE: ("语音信箱或助理", "voicemail or assistant"),
        Reach.FORWARDED: ("呼叫转移", "forwarded"),
        Reach.HUNG_UP_EARLY: ("警示语未播完即挂断", "hung up before the warning was spoken"),
        Reach.SILENT: ("全程无回应", "silent all the time"),
        Reach.WRONG_PERSON: ("非本人", "wrong person"),
        Reach.UNVERIFIED: ("未核实身份", "somebody, not verified"),
        Reach.VERIFIED: ("本人已核身", "the right person, verified"),
    },
    Answer: {
        Answer.NONE: ("未作回应", "no answer given"),
        Answer.ACKNOWLEDGED: ("表示明白", "acknowledged"),
        Answer.SAW_THROUGH: ("已识破", "saw through it"),
        Answer.DOUBTFUL: ("回答存疑", "doubtful"),
        Answer.REFUSES: ("拒绝劝阻", "refuses"),
        Answer.ALREADY_PAID: ("已转账", "has already paid"),
        Answer.WANTS_OFFICER: ("要求民警", "wants an officer"),
        Answer.WRONG_PERSON: ("非本人", "wrong person"),
        Answer.LANGUAGE_OR_HEARING: ("语言或听力障碍", "language or hearing"),
        Answer.OPT_OUT: ("要求不再呼叫", "asks not to be rung"),
    },
    OutcomeKind: {
        OutcomeKind.DISSUADED_BY_PHONE: ("电话劝阻成功", "dissuaded by phone"),
        OutcomeKind.DISSUADED_IN_PERSON: ("见面劝阻成功", "dissuaded in person"),
        OutcomeKind.SAW_THROUGH_IT: ("自行识破", "saw through it"),
        OutcomeKind.HALF_BELIEVES: ("半信半疑", "half believes"),
        OutcomeKind.REFUSES: ("拒不听劝", "refuses"),
        OutcomeKind.ALREADY_DEFRAUDED: ("已被骗", "already defrauded"),
        OutcomeKind.NOT_THE_PERSON: ("非本人", "not the person"),
        OutcomeKind.MISMATCH: ("信息不符", "mismatch"),
        OutcomeKind.CANNOT_FIND_YET: ("暂未找到", "cannot find yet"),
        OutcomeKind.CANNOT_FIND: ("无法找到", "cannot find"),
        OutcomeKind.DUPLICATE: ("重复预警", "duplicate"),
        OutcomeKind.TRANSFERRED: ("已移交", "transferred"),
        OutcomeKind.LANGUAGE_OR_HEARING: ("语言或听力障碍", "language or hearing"),
        OutcomeKind.MISSED: ("逾期漏处", "missed"),
    },
    Track: {
        Track.ROBOT: ("机器人", "robot"),
        Track.HUMAN: ("人工电话", "human call"),
        Track.VISIT: ("上门", "visit"),
    },
    AmountKind: {
        AmountKind.INTENDED: ("劝阻金额", "intended, never paid"),
        AmountKind.STOPPED: ("止付金额", "stopped at the bank"),
        AmountKind.RETURNED: ("返还金额", "returned"),
    },
    CaseStatus: {
        CaseStatus.OPEN: ("办理中", "open"),
        CaseStatus.WATCHING: ("劝阻成功（观察期）", "dissuaded, watched"),
        CaseStatus.PROVEN: ("劝阻成功（已确证）", "dissuaded, proven"),
        CaseStatus.REVERSED: ("劝阻后被骗", "reversed by a filed case"),
        CaseStatus.CLOSED: ("已办结", "closed"),
    },
    Reason: {
        Reason.NEW_WARNING: ("新预警", "a new warning"),
        Reason.GRADE_RAISED: ("等级上调", "the grade was raised"),
        Reason.RETRY: ("未接通，再呼", "not answered: again"),
        Reason.NEXT_NUMBER: ("换下一个号码", "the next number"),
        Reason.OWN_FAULT: ("我方线路故障，不计次数", "a fault of our own line, which counts as nothing"),
        Reason.BUSY_ON_HIGH: (
            "高危占线，可能正与骗子通话",
            "busy on a high grade: probably talking to the scammer",
        ),
        Reason.OUTSIDE_WINDOW: ("不在外呼时段", "outside the dialling window"),
        Reason.PARALLEL_TRACKS: ("多路并行", "several ways at once"),
        Reason.NO_CONTACT_IN_TIME: ("限时内未触达", "no contact in time"),
        Reason.ROBOT_TRIES_USED: ("机器人次数已用完", "the robot's tries are used up"),
        Reason.NO_USABLE_NUMBER: ("无可用号码", "no number that can be rung"),
        Reason.FORWARDED_OR_MACHINE: (
            "呼叫转移或语音信箱，不算触达",
            "forwarded or a machine, which is no contact",
        ),
        Reason.NOT_VERIFIED: ("接听人身份未核实", "whoever answered was not verified"),
        Reason.HUNG_UP_EARLY: ("警示语未播完即挂断", "hung up before the warning was spoken"),
        Reason.SILENT: ("全程无回应", "silent all the time"),
        Reason.DOUBTFUL: ("回答存疑", "a doubtful answer"),
        Reason.REFUSED: ("拒绝劝阻", "refused"),
        Reason.WANTS_OFFICER: ("要求民警", "wants an officer"),
        Reason.ALREADY_PAID: ("称已转账", "says it is paid already"),
        Reason.WRONG_PERSON: ("非本人", "wrong person"),
        Reason.LANGUAGE_OR_HEARING: ("语言或听力障碍", "language or hearing"),
        Reason.UNKNOWN_SUBMISSION: ("呼叫是否送达不明", "not known whether the call was placed"),
        Reason.WAITED_TOO_LONG: ("排队过久", "waited too long for a line"),
        Reason.EXPIRED: ("预警已失效", "the warning expired"),
        Reason.SAMPLE: ("抽样人工回访", "in the sample for a human call"),
        Reason.NOT_IN_SAMPLE: ("未抽中", "not in the sample"),
        Reason.HUMAN_FAILED: ("人工电话未成功", "the human call did not succeed"),
        Reason.HUMAN_OVERDUE: ("人工电话逾期", "the human call is overdue"),
        Reason.VISIT_AGAIN: ("再次上门", "another visit"),
        Reason.ON_REQUEST: ("人工要求", "on request"),
        Reason.OPTED_OUT: ("要求不再机器人呼叫", "asked not to be rung by a robot"),
        Reason.MINOR: ("未成年，联系监护人", "a minor: the guardian"),
        Reason.VERIFIED_SUCCESS: ("已核身劝阻成功", "verified and dissuaded"),
        Reason.CASE_CLOSED: ("案件办结", "the case was closed"),
        Reason.CASE_FILED: ("已立案", "a case was filed with the police"),
        Reason.WATCH_ENDED: ("观察期结束", "the watch period ended"),
        Reason.NONE: ("无", "none"),
    },
    RobotState: {
        RobotState.OFF: ("未启用", "off"),
        RobotState.PENDING: ("待呼或呼叫中", "waiting or ringing"),
        RobotState.DONE: ("已结束", "done"),
    },
    ErrandState: {
        ErrandState.NONE: ("无", "none"),
        ErrandState.SCHEDULED: ("已排定", "scheduled"),
        ErrandState.OPEN: ("待办", "open"),
        ErrandState.DONE: ("已结束", "done"),
    },
    AttemptState: {
        AttemptState.PLANNED: ("已计划", "planned"),
        AttemptState.READY: ("排队中", "in the queue"),
        AttemptState.CLAIMED: ("待拨出", "about to be sent"),
        AttemptState.SENDING: ("正在拨出", "being sent"),
        AttemptState.ACCEPTED: ("线路已受理", "taken by the network"),
        AttemptState.RINGING: ("振铃", "ringing"),
        AttemptState.ANSWERED: ("通话中", "talking"),
        AttemptState.UNKNOWN: ("是否呼出不明", "not known whether it was taken"),
        AttemptState.ENDED: ("已结束", "ended"),
    },
    AssignmentState: {
        AssignmentState.OPEN: ("待签收", "waiting to be signed for"),
        AssignmentState.SIGNED: ("已签收", "signed for"),
        AssignmentState.DONE: ("已反馈", "reported"),
        AssignmentState.WITHDRAWN: ("已撤销", "withdrawn"),
    },
    MessagePurpose: {
        MessagePurpose.UNREACHABLE: ("电话未通时的短信", "where the voice did not get through"),
        MessagePurpose.AFTER_WARNING: ("劝阻后的提醒短信", "after a warning"),
    },
    MessageState: {
        MessageState.PLANNED: ("待发", "planned"),
        MessageState.SENDING: ("发送中", "being sent"),
        MessageState.UNKNOWN: ("是否发出不明", "not known whether it was sent"),
        MessageState.ACCEPTED: ("网络已受理", "taken by the network"),
        MessageState.SENT: ("已发出", "sent"),
        MessageState.DELIVERED: ("已送达", "delivered"),
        MessageState.UNDELIVERED: ("未送达", "not delivered"),
        MessageState.FAILED: ("未发出", "not sent"),
    },
    StopResult: {
        StopResult.ASKED: ("已联系银行止付", "the bank has been asked"),
        StopResult.TOO_LATE: ("已来不及", "too late"),
        StopResult.NOT_NEEDED: ("并未转账", "nothing had been paid"),
    },
    PaidWhen: {
        PaidWhen.JUST_NOW: ("刚刚", "just now"),
        PaidWhen.HOURS_AGO: ("几小时前", "hours ago"),
        PaidWhen.BEFORE_TODAY: ("昨天或更早", "before today"),
    },
    LoadState: {
        LoadState.WAITING: ("等待导入", "waiting"),
        LoadState.RUNNING: ("导入中", "loading"),
        LoadState.DONE: ("已导入", "loaded"),
        LoadState.FAILED: ("无法导入", "failed"),
    },
    AlarmCode: {
        AlarmCode.MISSED_WARNING: ("高危预警逾期漏处", "a high warning was missed"),
        AlarmCode.HUMAN_OVERDUE: ("人工电话逾期", "a human call is overdue"),
        AlarmCode.VISIT_OVERDUE: ("上门逾期", "a visit is overdue"),
        AlarmCode.OWN_FAULTS: ("我方线路连续故障", "faults of our own line in a row"),
        AlarmCode.ALREADY_PAID: ("当事人称已转账", "the person has already paid"),
        AlarmCode.CANNOT_FIND: ("无法找到当事人", "the person cannot be found"),
        AlarmCode.REFUSED_IN_PERSON: ("当面拒不听劝", "refused in person"),
        AlarmCode.DEFRAUDED_AFTER_SUCCESS: ("劝阻成功后被骗", "defrauded after a success"),
        AlarmCode.WAITED_TOO_LONG: ("排队过久", "a ring waited too long"),
        AlarmCode.REJECTED_HIGH_ROW: ("高危记录被拒收", "a row of a high grade was refused"),
        AlarmCode.UNKNOWN_SUBMISSION: ("呼叫是否送达不明", "not known whether a call was placed"),
        AlarmCode.CARRIER_TROUBLE: ("线路异常", "trouble with the telephone network"),
        AlarmCode.CARRIER_DOWN: (
            "线路中断，已停止外呼",
            "the telephone network is down, dialling has stopped",
        ),
        AlarmCode.SCHEMA_MOVED: ("程序版本落后于数据库", "a process is older than its database"),
        AlarmCode.CLOCK_JUMPED: ("服务器时钟回拨", "a machine's clock went back"),
        AlarmCode.NO_FUTURE: ("案件无后续安排", "a case without a next step"),
        AlarmCode.UNSIGNED: ("任务逾期未签收", "nobody has signed for an assignment"),
        AlarmCode.SOUND_BROKEN: ("录音缺失或损坏，已改用合成语音", "a prompt's sound is missing or broken"),
    },
    VersionState: {
        VersionState.DRAFT: ("草稿", "draft"),
        VersionState.APPROVED: ("已批准", "approved"),
        VersionState.RETIRED: ("已停用", "retired"),
    },
    RenderState: {
        RenderState.WAITING: ("等待配音", "waiting"),
        RenderState.RUNNING: ("配音中", "being rendered"),
        RenderState.DONE: ("已配音", "rendered"),
        RenderState.FAILED: ("配音失败", "failed"),
    },
    PauseScope: {
        PauseScope.ALL: ("全部外呼", "all dialling"),
        PauseScope.UNIT: ("单位", "a unit"),
        PauseScope.LOAD: ("名单", "a list"),
        PauseScope.GRADE: ("等级", "a grade"),
    },
}

KNOWN = tuple(_CATALOGUE)
"""Every enumeration that has words."""
