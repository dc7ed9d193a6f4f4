//! What is said in invented calls: greetings, questions with their answers, farewells. Spaces separate words;
//! punctuation belongs to the word before it.

/// The lines of one language.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) code: &'static str,
    /// What stands between words in a text.
    pub(super) between: &'static str,
    /// What follows the end of a sentence.
    pub(super) after_sentence: &'static str,
    /// Milliseconds for each character of a word, and for each word.
    pub(super) pace: (u64, u64),
    pub(super) opening: [&'static str; 2],
    /// A question and its answer.
    pub(super) exchanges: &'static [[&'static str; 2]],
    pub(super) listening: [&'static str; 4],
    pub(super) shortest: &'static str,
}

pub(super) static ENGLISH: Script = Script {
    code: "en",
    between: " ",
    after_sentence: " ",
    pace: (42, 120),
    opening: [
        "Thank you for calling Meridian Travel, this is Anna speaking. How can I help you today?",
        "Hi, um, I booked two tickets to Lisbon last week. The confirmation never arrived.",
    ],
    exchanges: &[
        [
            "I am sorry to hear that. Could you give me the booking number, please?",
            "Sure, it is seven four two nine. I have it right here on the invoice.",
        ],
        [
            "Thank you. Let me just pull up your file, one moment please.",
            "Take your time. I am not in a hurry this morning.",
        ],
        [
            "I can see the payment went through on Monday. Did you check your spam folder?",
            "Yes, I looked everywhere. There is nothing from you in there at all.",
        ],
        [
            "It looks like there is a small typing error in the address we have. Can you spell it for me?",
            "It is k, e, i, k, o, at example dot org. Without a dash.",
        ],
        [
            "Perfect, I have corrected it. Is the phone number still the same?",
            "Um, no, we moved in spring. I will give you the new one, if you like.",
        ],
        [
            "That would be great. Which name should be on the second ticket?",
            "Anselm Brandt. He is my brother, and he pays for half of it.",
        ],
        [
            "Would you like to add insurance? It covers delays, luggage and cancellation.",
            "How much would that be? Last year I paid far too much for it.",
        ],
        [
            "It is twelve euros for both of you. You can cancel it within two weeks for a full refund.",
            "Okay, that sounds fair. Please add it to the booking.",
        ],
        [
            "And do you prefer an aisle or a window seat on the way back?",
            "A window, if there is one left. My brother always takes the aisle.",
        ],
        [
            "Unfortunately the morning flight is full. May I offer you the one at two in the afternoon?",
            "Hmm, that is a problem. We have to be back before five, because of the kids.",
        ],
        [
            "I understand. There is another option with a short stop in Madrid, would that work?",
            "How long is the stop? Two hours would be fine, four would not.",
        ],
        [
            "One hour and forty minutes. I can hold these seats until tomorrow evening.",
            "Great, please do that. I will talk to him tonight and call you back.",
        ],
        [
            "I have just sent the confirmation again. Could you have a quick look?",
            "Yes, it is here now! Thank you so much, that was fast.",
        ],
        [
            "Is there anything else I can do for you today?",
            "No, that was all. You have been very helpful, thanks a lot.",
        ],
    ],
    listening: ["Mm-hm.", "Right.", "Okay.", "I see."],
    shortest: "Hello.",
};

pub(super) static CHINESE: Script = Script {
    code: "zh",
    between: "",
    after_sentence: "",
    pace: (185, 20),
    opening: [
        "您好， 这里 是 远航 旅行社 客服 中心。 请问 有 什么 可以 帮 您？",
        "你好， 嗯， 我 上周 订 了 两张 去 成都 的 机票。 到 现在 还 没 收到 确认 短信。",
    ],
    exchanges: &[
        [
            "非常 抱歉 给 您 带来 不便。 请 提供 一下 您 的 订单 号。",
            "好 的， 是 七 四 二 九。 发票 上 也 是 这个 号码。",
        ],
        ["请 稍等， 我 帮 您 查询 一下。", "没关系， 我 不 着急。"],
        ["款项 周一 已经 到账 了。 您 的 手机 号码 有 变动 吗？", "对， 我 三月份 换 了 新 号码。"],
        [
            "那 我 现在 帮 您 更新 一下 资料。 请 您 报 一下 新 的 号码。",
            "一 三 八， 后面 是 零 零 六 六 二 五 九 一。",
        ],
        ["好 的， 已经 修改 完成。 您 需要 购买 航班 延误 险 吗？", "多少 钱 一份？ 去年 我 买 的 那个 太 贵 了。"],
        ["两位 一共 四十 元， 两周 之内 可以 全额 退款。", "那 还 可以， 帮 我 加上 吧。"],
        [
            "返程 您 想要 靠窗 还是 靠 过道 的 座位？",
            "靠窗 的， 如果 还 有 的话。 那个 笨蛋 航空 公司 上次 把 我们 分开 了。",
        ],
        ["很 抱歉， 上午 的 航班 已经 满员 了。 下午 两点 的 可以 吗？", "嗯， 有点 晚。 我们 五点 之前 必须 到家。"],
        ["明白 了。 还 有 一班 在 西安 经停 的， 您 看 合适 吗？", "经停 多久？ 两个 小时 以内 都 没 问题。"],
        ["确认 短信 我 刚刚 重新 发送 了。 请 您 看 一下。", "收到 了， 谢谢 你， 真 快！"],
        ["请问 还 有 其他 需要 帮助 的 吗？", "没有 了， 谢谢。 再见。"],
    ],
    listening: ["嗯。", "对。", "好 的。", "是 的。"],
    shortest: "你好。",
};

/// Masked unless told otherwise.
pub(super) const RESERVED: [&str; 3] = ["笨蛋", "混蛋", "王八蛋"];
/// Hesitations.
pub(super) const FILLERS: [&str; 3] = ["um", "hmm", "嗯"];
