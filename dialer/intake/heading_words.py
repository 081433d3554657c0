"""The words that stand as headings in target lists, field by field. `headings` says how they are matched."""

from __future__ import annotations

from typing import Final

from dialer.intake.records import Field

HEADING_WORDS: Final = {
    Field.INSTRUCTION_NO: (
        "指令编号 指令号 预警指令编号 预警指令号 指令编码 指令id 预警编号 预警号 预警序号 "
        "线索编号 工单编号 工单号 任务编号 预警id 唯一编号 instructionno instructionnumber "
        "instruction instructionid warningno warningnumber warningid"
    ),
    Field.SOURCE: (
        "来源 数据来源 预警来源 线索来源 指令来源 信息来源 下发单位 下发来源 推送单位 source "
        "datasource origin"
    ),
    Field.KIND: "预警类型 预警类别 预警种类 类型 预警分类 线索类型 kind warningtype warningkind type",
    Field.FRAUD_TYPE: (
        "诈骗类型 涉诈类型 诈骗类别 诈骗手法 诈骗种类 案件类型 案件类别 案别 手法 作案手法 "
        "涉诈类别 疑似诈骗类型 诈骗方式 fraudtype scamtype fraudcategory scam"
    ),
    Field.GRADE: (
        "等级 预警等级 风险等级 级别 预警级别 风险级别 危险等级 危险级别 高危等级 紧急程度 "
        "风险程度 grade level risklevel riskgrade risk warninglevel warninggrade severity"
    ),
    Field.NAME: "姓名 名字 名称 人员姓名 对象 人员 name fullname victim victimname personname targetname",
    Field.PHONE: (
        "手机号 手机号码 手机 电话 电话号码 联系电话 联系号码 联系方式 联系手机 联系手机号 "
        "移动电话 手机电话 被叫号码 被叫 被叫电话 涉警号码 预警号码 预警手机号 预警电话 备用电话 "
        "备用手机号 备用号码 其他电话 其它电话 其他号码 座机 固话 固定电话 机主号码 号码1 "
        "被劝阻号码 劝阻号码 phone phonenumber phoneno mobile mobilephone mobilenumber mobileno "
        "cell cellphone tel telephone telephonenumber telno contactnumber contactphone msisdn "
        "callee"
    ),
    Field.ID_NUMBER: (
        "证件号 证件号码 身份证号 身份证号码 身份证 公民身份号码 公民身份证号码 居民身份证号 "
        "居民身份证号码 身份号码 身份证件号 身份证件号码 idnumber idno idcard idcardno "
        "idcardnumber identity identitynumber citizenid nationalid"
    ),
    Field.ADDRESS: (
        "地址 住址 家庭住址 家庭地址 现住址 现住地址 居住地址 居住地 户籍地址 户籍地 户籍所在地 "
        "详细地址 联系地址 常住地址 address homeaddress residence"
    ),
    Field.UNIT: (
        "属地 属地机构 属地单位 所属单位 单位 所属机构 机构 管辖单位 辖区 所属辖区 派出所 "
        "所属派出所 属地派出所 责任单位 接收单位 属地公安机关 所属分局 分局 旗县 所属旗县 "
        "属地分局 处置单位 unit station jurisdiction policestation organisation organization "
        "department"
    ),
    Field.FAMILY_CONTACT: (
        "家属联系人 家属 家属电话 家属联系方式 家属联系电话 家属姓名 家属手机号 家属手机 "
        "亲属联系人 亲属电话 亲属联系方式 紧急联系人 紧急联系电话 紧急联系人电话 监护人 "
        "监护人电话 监护人联系方式 familycontact family familyphone guardian emergencycontact "
        "nextofkin"
    ),
    Field.FRAUD_NUMBERS: (
        "涉诈号码 涉诈电话 诈骗号码 诈骗电话 嫌疑号码 嫌疑电话 嫌疑人电话 嫌疑人号码 对方号码 "
        "对方电话 主叫号码 主叫 主叫电话 涉诈手机号 可疑号码 fraudnumber fraudnumbers fraudphone "
        "scamnumber scamphone suspectnumber suspectphone caller"
    ),
    Field.FRAUD_URL: (
        "涉诈网址 涉诈网站 诈骗网址 诈骗网站 网址 网站 涉诈url 涉诈域名 域名 访问网址 url "
        "fraudurl scamurl website fraudsite"
    ),
    Field.FRAUD_APP: "涉诈app 诈骗app app app名称 涉诈应用 涉诈软件 应用名称 fraudapp scamapp appname",
    Field.FRAUD_ACCOUNT: (
        "涉诈账号 涉诈账户 诈骗账号 诈骗账户 收款账号 收款账户 对方账号 对方账户 涉诈卡号 "
        "涉案账号 涉案账户 收款卡号 嫌疑账号 嫌疑账户 fraudaccount scamaccount suspectaccount "
        "payeeaccount"
    ),
    Field.TALK_SECONDS: (
        "通话时长 通话时间 时长 通话秒数 通联时长 talkseconds talktime duration callduration talkduration"
    ),
    Field.AMOUNT_AT_RISK: (
        "拟转金额 拟转账金额 涉及金额 涉险金额 风险金额 预警金额 拟转款金额 金额 涉案金额 "
        "amountatrisk amount intendedamount riskamount"
    ),
    Field.AMOUNT_PAID: (
        "已转金额 已转账金额 已转款金额 被骗金额 损失金额 已损失金额 已付金额 转账金额 amountpaid "
        "paidamount amountalreadypaid paid loss amountlost transferredamount"
    ),
    Field.EVENT_AT: (
        "事件时间 发生时间 通联时间 发案时间 事发时间 接触时间 转账时间 访问时间 eventtime "
        "eventat occurredat eventdate"
    ),
    Field.PRODUCED_AT: (
        "预警时间 产生时间 生成时间 预警日期 预警产生时间 指令时间 下发时间 下发日期 推送时间 "
        "日期 时间 producedtime producedat warningtime warningdate createdat createdtime date "
        "time issuedat"
    ),
    Field.EXPIRES_AT: (
        "失效时间 有效期 过期时间 有效期至 到期时间 截止时间 失效日期 截止日期 有效截止时间 "
        "预警失效时间 expires expiresat expiry expirytime expirydate expiretime validuntil "
        "deadline"
    ),
    Field.TAGS: "标签 人员标签 特殊标签 人群标签 人群 特殊人群 人员类别 人员类型 tags tag labels label",
    Field.REMARKS: (
        "备注 说明 备注说明 其他 其它 备考 简要情况 remarks remark note notes comment comments memo"
    ),
    Field.ROW_NUMBER: "序号 行号 编号序号 no serial serialno index rowno #",
    Field.REJECTION: "拒绝列 拒绝原因 拒绝行",
}
