"""The page's own words, Chinese first, English beside."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("接听电话", "A phone you can pick up"),
    "lead": (
        "选一位当事人，或者把自己加进来，等机器人打来：接听，听到的就是线路上播放的声音。",
        "Pick a person, or add yourself, and let the robot call: you hear the sound that is played on the line.",
    ),
    "drill": (
        "模拟线路：这里的电话打不到任何真实号码",
        "Simulated line: nothing here reaches a real number",
    ),
    "other": ("English", "中文"),
    "status_page": ("状态页", "Status"),
    "yourself": ("把自己加为当事人", "Add yourself"),
    "name": ("姓名", "Name"),
    "phone": ("手机号（随便填，不会拨出）", "Mobile number (any; it is not dialled)"),
    "fraud_type": ("诈骗类型", "Fraud type"),
    "load": ("加入并让机器人拨打", "Add me and let the robot call"),
    "targets": ("或选一位当事人", "Or pick a person"),
    "none": ("现在没有待劝阻的预警单", "There is no open case now"),
    "rings": ("已呼叫 {n} 次", "called {n} times"),
    "waiting_call": ("等待机器人来电…", "Waiting for the robot's call…"),
    "ringing": ("来电：预警劝阻", "Incoming: fraud warning"),
    "talking": ("通话中", "Talking"),
    "over": ("通话结束", "The call is over"),
    "answer": ("接听", "Answer"),
    "reject": ("拒接", "Reject"),
    "hang_up": ("挂断", "Hang up"),
    "again": ("再打一次", "Call again"),
    "back": ("换一部电话", "Another telephone"),
    "hold_to_speak": ("按住说话", "Hold to speak"),
    "speaking": ("松开发送", "Release to send"),
    "say": ("打字代替说话", "Type instead of speaking"),
    "send": ("说", "Say"),
    "no_ear": (
        "没有安装语音识别（可选组件 hearing），请按键或打字",
        "Speech recognition (the extra `hearing`) is not installed: press keys, or write what you say",
    ),
    "no_microphone": ("没有麦克风可用", "No microphone can be used"),
    "shortcuts": (
        "键盘：0-9 * # 按键，Enter 接听，Esc 挂断",
        "Keyboard: 0-9 * #, Enter answers, Esc hangs up",
    ),
    "fast": (
        "线路时钟正以 {n} 倍运行，声音会被截断；等演练放慢到 1 倍再接听",
        "The line's clock runs {n} times as fast, so sound is cut off: wait until the drill runs at 1",
    ),
    "case": ("预警单", "Case"),
    "next": ("下一步", "Next step"),
    "happened": ("经过", "What happened"),
    "pick_first": (
        "选好电话后，预警单的经过会在这里同步显示",
        "Pick a phone to see its case here",
    ),
    "robot_says": ("机器人", "Robot"),
    "listening": ("请按键或说话", "Press a key, or speak"),
    "lost": ("连不上服务，正在重试", "The service does not respond; retrying"),
    "failed": ("没有成功", "Failed"),
    "verified": ("已核实本人", "Verified contact"),
}


def texts(*, english: bool) -> dict[str, str]:
    return {name: pair[1 if english else 0] for name, pair in TEXTS.items()}
