//! Seeded corpus of Fun-ASR result files for benches: same seed, same bytes, on every machine.
//!
//! The files look like recorded calls of a few minutes (turns, pauses, overlaps, backchannels, dead air) in the compact
//! JSON the service sends. Integers only: floating point could round differently elsewhere.

#![allow(dead_code, unreachable_pub, reason = "every bench uses a part of it")]

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

/// What was generated, for benches to check their results against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Entries of all `words` arrays.
    pub words: u64,
    /// Entries of all `sentences` arrays.
    pub sentences: u64,
}

/// Result files in memory.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// File name and JSON bytes, in order of the names.
    pub files: Vec<(String, Vec<u8>)>,
    /// Sums over all files.
    pub facts: Facts,
}

impl Corpus {
    /// Generates `files` calls; call `i` is [`call`]`(seed, i)`, whatever the number of files.
    pub fn generate(seed: u64, files: usize) -> Self {
        let mut corpus = Self { files: Vec::with_capacity(files), facts: Facts::default() };
        for index in 0..files {
            let (bytes, facts) = call_with_facts(seed, index);
            corpus.files.push((file_name(index), bytes));
            corpus.facts.add(facts);
        }
        corpus
    }

    /// Size of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// Writes every file into `dir`, which is created if missing.
    pub fn write_to(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        for (name, bytes) in &self.files {
            fs::write(dir.join(name), bytes)?;
        }
        Ok(())
    }
}

impl Facts {
    fn add(&mut self, other: Self) {
        self.words += other.words;
        self.sentences += other.sentences;
    }
}

/// Generates one file.
pub fn call(seed: u64, index: usize) -> Vec<u8> {
    call_with_facts(seed, index).0
}

/// Writes the files of [`Corpus::generate`] into `dir` one by one, so that only one is in memory.
pub fn write_corpus(seed: u64, files: usize, dir: &Path) -> io::Result<Facts> {
    fs::create_dir_all(dir)?;
    let mut sum = Facts::default();
    for index in 0..files {
        let (bytes, facts) = call_with_facts(seed, index);
        fs::write(dir.join(file_name(index)), bytes)?;
        sum.add(facts);
    }
    Ok(sum)
}

/// Name of a file of the corpus.
pub fn file_name(index: usize) -> String {
    format!("call-{index:06}.json")
}

/// `SplitMix64` (Steele, Lea, Flood 2014): any seed will do, including 0.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `low..=high`; the bias of the modulo does not matter here.
    fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    /// Prefers the front of the list, where the common words are.
    fn word<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let n = list.len() as u64;
        let i = self.range(0, n - 1) * self.range(0, n - 1) / (n - 1);
        list[i as usize]
    }
}

/// Deciles of the file size in thousand bytes. Their mean is 90, few calls are long.
const SIZE_DECILES: [u64; 11] = [24, 36, 46, 56, 66, 77, 90, 106, 128, 163, 240];

/// What all of one call has in common.
struct Plan {
    chinese: bool,
    channels: usize,
    /// 1 unless the channel is diarised or there are two.
    parties: usize,
    diarised: bool,
    bytes: usize,
    /// Length of each participant's words, in percent.
    pace: [u64; 4],
}

impl Plan {
    /// Layout and language follow from the position, so that small corpora have the right mix, too.
    fn new(seed: u64, index: usize, rng: &mut Rng) -> Self {
        let position = index as u64 % 100 + seed % 100;
        let slot = position * 7 % 20;
        let (channels, parties, diarised) = match slot {
            0..14 => (2, 2, false),
            14..18 => (1, 1, false),
            _ => (1, rng.range(2, 4) as usize, true),
        };
        // The second term shifts the pattern every 20 files, so that every layout occurs in both languages.
        let chinese = (position + position / 20).is_multiple_of(5);
        let decile = rng.range(0, 9) as usize;
        let (from, to) = (SIZE_DECILES[decile], SIZE_DECILES[decile + 1]);
        let bytes = rng.range(from * 1000, to * 1000) as usize;
        let pace = std::array::from_fn(|_| rng.range(86, 116));
        Self { chinese, channels, parties, diarised, bytes, pace }
    }

    fn channel_of(&self, party: usize) -> usize {
        if self.channels == 2 { party } else { 0 }
    }
}

/// One channel as it grows. Its sentences never overlap and come in order of time.
#[derive(Default)]
struct Track {
    text: String,
    sentences: String,
    sentence_count: u64,
    word_count: u64,
    content_ms: u64,
    last_end: u64,
}

impl Track {
    /// Appends a sentence that begins at `begin`, and returns its words' intervals.
    fn say(&mut self, plan: &Plan, rng: &mut Rng, party: usize, begin: u64, words: &[Word]) -> Vec<(u64, u64)> {
        debug_assert!(begin >= self.last_end);
        let mut text = String::new();
        let mut json = String::new();
        let mut times = Vec::with_capacity(words.len());
        let mut now = begin;
        for (i, word) in words.iter().enumerate() {
            if i > 0 {
                now += word_gap(rng, &words[i - 1]);
                json.push(',');
            }
            let end = now + word_length(rng, plan, party, word);
            let _ = write!(
                json,
                r#"{{"begin_time":{now},"end_time":{end},"text":"{}","punctuation":"{}"}}"#,
                word.text, word.punctuation
            );
            text.push_str(&word.text);
            text.push_str(word.punctuation);
            times.push((now, end));
            now = end;
        }
        self.sentence_count += 1;
        if self.sentence_count > 1 {
            self.sentences.push(',');
        }
        let _ = write!(
            self.sentences,
            r#"{{"begin_time":{begin},"end_time":{now},"text":"{text}","sentence_id":{}"#,
            self.sentence_count
        );
        if plan.diarised {
            let _ = write!(self.sentences, r#","speaker_id":{party}"#);
        }
        let _ = write!(self.sentences, r#","words":[{json}]}}"#);
        self.text.push_str(&text);
        self.word_count += words.len() as u64;
        self.content_ms += now - begin;
        self.last_end = now;
        times
    }
}

/// A word as in the file, including a leading space.
struct Word {
    text: String,
    punctuation: &'static str,
}

fn call_with_facts(seed: u64, index: usize) -> (Vec<u8>, Facts) {
    // Mixed once, or neighbouring calls of neighbouring seeds would be the same ones.
    let mut rng = Rng(Rng(seed).next() ^ (index as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
    let plan = Plan::new(seed, index, &mut rng);
    let mut tracks: Vec<Track> = (0..plan.channels).map(|_| Track::default()).collect();

    let ring_back = if rng.percent(6) { rng.range(8_000, 20_000) } else { 0 };
    let lead = ring_back + rng.range(300, 3_000);
    // Who speaks, when the speech so far ends, and how long the last sentence was.
    let (mut party, mut floor_end, mut last_length) = (0, lead, 0);
    let mut first = true;
    loop {
        let mut kind = TurnStart::Gap(0);
        if !first {
            party = other_party(&mut rng, plan.parties, party);
            kind = turn_start(&mut rng, &plan, last_length);
        }
        let mut begin = match kind {
            TurnStart::Gap(gap) => floor_end + gap,
            TurnStart::Overlap(overlap) => floor_end - overlap,
        };
        let channel = plan.channel_of(party);
        if !first {
            // There may have been a backchannel just now.
            begin = begin.max(tracks[channel].last_end + 300);
        }
        first = false;
        // An interruption lasts longer than the speech that it overlaps.
        let cuts_in = matches!(kind, TurnStart::Overlap(1000..));
        for n in 0..turn_sentences(&mut rng) {
            let shortest = if cuts_in && n == 0 { 14 } else { 3 };
            let words = sentence(&mut rng, plan.chinese, shortest);
            let times = tracks[channel].say(&plan, &mut rng, party, begin, &words);
            let end = tracks[channel].last_end;
            if plan.channels == 2 && times.len() >= 10 && rng.percent(22) {
                backchannel(&mut tracks[1 - channel], &plan, &mut rng, 1 - party, &times);
            }
            last_length = end - begin;
            floor_end = floor_end.max(end);
            begin = end + rng.range(180, 900);
            let size: usize = tracks.iter().map(|t| t.sentences.len() + t.text.len() + 130).sum();
            if size >= plan.bytes && tracks.iter().all(|t| t.sentence_count > 0) {
                return file(&plan, &mut rng, index, &tracks);
            }
        }
    }
}

fn other_party(rng: &mut Rng, parties: usize, party: usize) -> usize {
    if parties == 1 {
        return 0;
    }
    (party + rng.range(1, parties as u64 - 1) as usize) % parties
}

enum TurnStart {
    Gap(u64),
    Overlap(u64),
}

fn turn_start(rng: &mut Rng, plan: &Plan, last_length: u64) -> TurnStart {
    let roll = rng.range(0, 99);
    // One track: the recogniser hears one voice at a time.
    if plan.channels == 2 {
        if roll < 14 && last_length > 3_600 {
            return TurnStart::Overlap(rng.range(1_050, 2_400));
        }
        if roll < 42 && last_length > 900 {
            return TurnStart::Overlap(rng.range(30, 450));
        }
    }
    if roll >= 97 {
        TurnStart::Gap(rng.range(3_200, 9_000))
    } else {
        TurnStart::Gap(rng.range(40, 700) + rng.range(0, 500))
    }
}

fn turn_sentences(rng: &mut Rng) -> u64 {
    match rng.range(0, 99) {
        0..40 => 1,
        40..70 => 2,
        70..90 => 3,
        90..97 => 5,
        _ => 12,
    }
}

/// A short word of the other participant inside a sentence, if they were silent long enough and there is room.
fn backchannel(track: &mut Track, plan: &Plan, rng: &mut Rng, party: usize, incumbent: &[(u64, u64)]) {
    let at = incumbent[rng.range(3, incumbent.len() as u64 - 6) as usize].0 + rng.range(20, 120);
    if at < track.last_end + 500 {
        return;
    }
    let (list, stop) = if plan.chinese { (BACKCHANNELS_ZH, "。") } else { (BACKCHANNELS_EN, ". ") };
    let word = Word { text: rng.word(list).to_owned(), punctuation: stop };
    track.say(plan, rng, party, at, &[word]);
}

/// A sentence of `shortest..=25` words.
fn sentence(rng: &mut Rng, chinese: bool, shortest: u64) -> Vec<Word> {
    let count = if rng.percent(60) { rng.range(shortest, shortest.max(11)) } else { rng.range(shortest, 25) };
    let (list, comma, stop, question) =
        if chinese { (WORDS_ZH, "，", "。", "？") } else { (WORDS_EN, ",", ". ", "? ") };
    let mut since_comma = 0;
    let mut words = Vec::with_capacity(count as usize);
    for i in 0..count {
        let word = rng.word(list);
        let text = match (chinese, i) {
            (true, _) => word.to_owned(),
            (false, 0) => capitalised(word),
            (false, _) => format!(" {word}"),
        };
        since_comma += 1;
        let punctuation = if i + 1 == count {
            if rng.percent(18) { question } else { stop }
        } else if since_comma >= 3 && i + 2 < count && rng.percent(14) {
            since_comma = 0;
            comma
        } else {
            ""
        };
        words.push(Word { text, punctuation });
    }
    words
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Time between a word and the next one: mostly none, longer at a comma, now and then a hesitation.
fn word_gap(rng: &mut Rng, before: &Word) -> u64 {
    let roll = rng.range(0, 99);
    if !before.punctuation.is_empty() {
        rng.range(70, 260)
    } else if roll < 2 {
        rng.range(280, 800)
    } else if roll < 40 {
        rng.range(5, 60)
    } else {
        0
    }
}

fn word_length(rng: &mut Rng, plan: &Plan, party: usize, word: &Word) -> u64 {
    let letters = word.text.trim_start().chars().count() as u64;
    let natural =
        if plan.chinese { letters * rng.range(165, 235) } else { 90 + letters * rng.range(34, 52) + rng.range(0, 70) };
    natural * plan.pace[party] / 100
}

fn file(plan: &Plan, rng: &mut Rng, index: usize, tracks: &[Track]) -> (Vec<u8>, Facts) {
    let spoken = tracks.iter().map(|t| t.last_end).max().unwrap_or_default();
    let duration = spoken + rng.range(200, 3_000);
    let (format, rate) = match (plan.channels, rng.percent(50)) {
        (2, true) => ("pcm_s16le", 8_000),
        (2, false) => ("mp3", 8_000),
        (_, true) => ("mp3", 16_000),
        (_, false) => ("pcm_s16le", 16_000),
    };
    let channels = if plan.channels == 2 { "0,1" } else { "0" };
    let mut json = String::with_capacity(plan.bytes + 8_192);
    let _ = write!(
        json,
        r#"{{"file_url":"https://example.org/calls/call-{index:06}.wav","properties":{{"audio_format":"{format}","channels":[{channels}],"original_sampling_rate":{rate},"original_duration_in_milliseconds":{duration}}},"transcripts":["#
    );
    let mut facts = Facts::default();
    for (id, track) in tracks.iter().enumerate() {
        if id > 0 {
            json.push(',');
        }
        let _ = write!(
            json,
            r#"{{"channel_id":{id},"content_duration_in_milliseconds":{},"text":"{}","sentences":[{}]}}"#,
            track.content_ms, track.text, track.sentences
        );
        facts.add(Facts { words: track.word_count, sentences: track.sentence_count });
    }
    json.push_str("]}");
    (json.into_bytes(), facts)
}

// The lists contain nothing that JSON must escape. Frequent words come first.

const BACKCHANNELS_EN: &[&str] = &["Mm-hm", "Okay", "Yeah", "Right", "Uh-huh", "Sure", "Yes"];

const BACKCHANNELS_ZH: &[&str] = &["嗯", "嗯嗯", "对", "好的", "是", "哦", "好"];

#[rustfmt::skip]
const WORDS_EN: &[&str] = &[
    "the", "I", "you", "to", "a", "it", "and", "that", "is", "of", "in", "on", "for", "we", "have", "can", "do", "be",
    "my", "your", "so", "what", "this", "was", "with", "not", "okay", "are", "but", "at", "yeah", "me", "if", "just",
    "no", "there", "yes", "it's", "know", "will", "about", "get", "all", "or", "would", "an", "from", "like", "how",
    "right", "up", "one", "they", "out", "as", "by", "had", "when", "please", "go", "then", "more", "now", "help",
    "time", "see", "need", "here", "don't", "I'm", "that's", "thank", "good", "has", "look", "than", "did", "want",
    "us", "them", "which", "could", "who", "any", "some", "been", "back", "over", "two", "going", "day", "think",
    "well", "still", "only", "their", "account", "order", "sorry", "email", "make", "same", "call", "next", "first",
    "give", "after", "way", "into", "week", "tell", "other", "before", "because", "should", "really", "were", "him",
    "her", "our", "per", "off", "down", "let", "number", "name", "card", "money", "bank", "month", "today", "sure",
    "problem", "check", "address", "payment", "service", "phone", "send", "question", "bill", "refund", "cancel",
    "price", "charge", "delivery", "something", "moment", "minute", "hours", "days", "weeks", "again", "never",
    "always", "maybe", "already", "tomorrow", "yesterday", "morning", "afternoon", "evening", "Monday", "Tuesday",
    "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "January", "March", "April", "June", "great", "fine",
    "thanks", "actually", "probably", "exactly", "able", "another", "change", "contract", "customer", "company",
    "department", "details", "discount", "different", "easy", "eight", "eleven", "else", "ever", "everything",
    "expect", "few", "five", "four", "free", "happen", "happy", "having", "hear", "hold", "home", "house", "hundred",
    "immediately", "information", "inside", "instead", "internet", "item", "keep", "kind", "last", "late", "later",
    "leave", "left", "letter", "line", "little", "long", "lost", "lovely", "lower", "mean", "mention", "message",
    "might", "mine", "most", "move", "much", "must", "new", "nine", "nothing", "notice", "offer", "office", "often",
    "old", "online", "open", "option", "outside", "package", "paid", "part", "password", "perfect", "person", "place",
    "plan", "point", "policy", "possible", "post", "power", "provide", "quick", "quite", "rather", "reach", "read",
    "reason", "receipt", "receive", "reference", "register", "remember", "remove", "replace", "reply", "report",
    "request", "reset", "return", "review", "room", "said", "sale", "screen", "second", "security", "seen", "seven",
    "several", "share", "ship", "shop", "short", "show", "simple", "since", "six", "small", "someone", "soon",
    "speak", "speed", "start", "statement", "status", "stay", "stock", "stop", "store", "street", "subscription",
    "such", "supervisor", "support", "system", "take", "talk", "team", "ten", "third", "thirty", "thousand", "three",
    "through", "ticket", "together", "told", "total", "track", "transfer", "travel", "try", "turn", "twelve",
    "twenty", "under", "understand", "until", "update", "upgrade", "use", "usually", "verify", "version", "visit",
    "voucher", "wait", "warehouse", "warranty", "watch", "website", "weekend", "welcome", "whole", "window", "wish",
    "within", "without", "wonder", "work", "worry", "write", "wrong", "year", "zero",
];

#[rustfmt::skip]
const WORDS_ZH: &[&str] = &[
    "的", "我", "您", "是", "了", "不", "好", "这个", "那", "有", "我们", "就", "在", "你", "要", "可以", "没有",
    "那个", "好的", "一下", "请", "会", "都", "也", "什么", "您好", "对", "说", "现在", "一", "个", "还", "能", "给",
    "就是", "看", "吗", "到", "呢", "去", "来", "想", "知道", "问题", "帮您", "查", "看到", "时候", "然后", "但是",
    "因为", "所以", "如果", "怎么", "为什么", "哪里", "谁", "多少", "几", "天", "今天", "明天", "昨天", "后天",
    "上午", "下午", "晚上", "早上", "点", "分钟", "小时", "星期", "月", "年", "两", "三", "四", "五", "六", "七",
    "八", "九", "十", "百", "千", "万", "块", "元", "退款", "取消", "价格", "费用", "订单", "快递", "物流", "发货",
    "收货", "退货", "换货", "地址", "电话", "手机", "号码", "手机号", "客服", "师傅", "先生", "女士", "公司", "部门",
    "系统", "网络", "账号", "密码", "银行", "银行卡", "信用卡", "支付", "付款", "到账", "余额", "发票", "合同",
    "套餐", "会员", "优惠", "活动", "折扣", "优惠券", "积分", "申请", "处理", "登记", "核实", "确认", "联系", "通知",
    "回复", "反馈", "投诉", "建议", "安排", "预约", "上门", "安装", "维修", "检查", "更换", "升级", "设置", "打开",
    "关闭", "重新", "登录", "注册", "绑定", "下载", "更新", "显示", "提示", "失败", "成功", "正常", "已经", "一直",
    "还是", "可能", "应该", "需要", "必须", "马上", "立刻", "尽快", "稍等", "麻烦", "抱歉", "谢谢", "感谢", "不客气",
    "再见", "没关系", "明白", "了解", "清楚", "理解", "记得", "忘记", "收到", "发现", "买", "卖", "用", "打", "等",
    "送", "寄", "拿", "放", "换", "改", "写", "听", "走", "回", "家", "里", "上", "下", "前", "后", "大", "小", "多",
    "少", "新", "旧", "快", "慢", "贵", "便宜", "方便", "简单", "复杂", "重要", "特别", "非常", "真的", "其实",
    "比如", "或者", "而且", "工作日", "七天", "产品", "质量", "商品", "颜色", "尺寸", "数量", "仓库", "门店", "店铺",
    "平台", "页面", "客户", "服务", "情况", "原因", "结果", "办法", "时间", "地方", "东西", "事情", "记录", "信息",
    "消息", "短信", "邮件",
];
