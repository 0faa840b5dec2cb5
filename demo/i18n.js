// The page's words, in two languages. A missing one shows as its key: a test looks for that.

const list = (names, and, comma) =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(comma)}${and}${names.at(-1)}`;

const en = {
  skip: 'Skip to the devices',
  demo: 'live demo',
  language: 'Language',
  afresh: 'Start afresh',
  page: 'chatsync demo: one user, three devices',
  title: 'Delete on one device. The others follow.',
  subtitle: 'Three devices of Alice and one of Bob, each a client of its own on this server: its own connection, its '
    + 'own storage.',
  switch: 'Sync Conversation Deletion Across Clients',
  'switch.on': 'On: what Alice deletes on one device disappears from her others too.',
  'switch.off': 'Off, as every app begins: a deletion stays on the device it was made on. The others keep the '
    + 'conversation, now and later.',
  'switch.shared': 'All visitors of this demo share this switch.',
  'try.delete': ({ count }) => `Delete ${count === 1 ? 'a conversation' : `${count} conversations`} on the phone`,
  'try.nothing': 'Nothing left on the phone',
  'try.undo': 'Undo',
  'try.next': 'Then: take the laptop offline and delete again; open a chat and write as Bob; turn the switch off.',
  'alice.devices': 'Alice’s devices',
  'bob.device': 'Bob, whom she writes with',
  phone: 'Phone',
  laptop: 'Laptop',
  browser: 'Browser',
  bob: 'Bob’s phone',
  online: 'online',
  connecting: 'connecting…',
  offline: 'offline',
  'go.offline': 'Go offline',
  'go.online': 'Go online',
  chats: 'Chats',
  select: 'Select',
  cancel: 'Cancel',
  all: 'All',
  'delete.one': ({ name, device }) => `Delete ${name} on ${device}`,
  'delete.count': ({ count }) => (count > 0 ? `Delete (${count})` : 'Delete'),
  'clear.too': 'Clear the history too',
  'nothing.here': 'No conversations. When somebody writes, it comes back here.',
  loading: 'Connecting…',
  unread: ({ count }) => `${count} unread`,
  back: 'Back to the list',
  'leave.group': 'Leave',
  left: 'left',
  'left.group': 'You have left this group. You can read it up to there, but not write.',
  write: ({ name }) => `Message to ${name}`,
  send: 'Send',
  refused: ({ code, message }) => `The server refused: ${t(`code.${code}`, { message })} (${code})`,
  'code.10007': 'not a member of this group any more',
  'code.10010': 'this group was dissolved',
  'code.other': ({ message }) => message,
  'undone.here': ({ message }) => `Not done: ${message}`,
  'tip.join': ({ names }) => `${names} joined`,
  'tip.quit': ({ names }) => `${names} left`,
  'tip.kick': ({ names }) => `${names} was removed`,
  'tip.other': 'The group changed',
  'no.history': 'No messages: the history was cleared.',
  'no.connection': 'Offline: these messages were not read before.',
  you: 'You',
  system: 'System notices',
  notice: 'A notice about a group',
  timeline: 'What happened',
  'timeline.note': 'Milliseconds from the click until another device’s list had changed.',
  'timeline.empty': 'Nothing yet. Delete something.',
  undo: 'Undo',
  undone: 'Undone',
  'said.delete': ({ device, names, count, cleared }) =>
    `${device} deleted ${count > 2 ? `${count} conversations` : list(names, ' and ', ', ')} `
    + `(${cleared ? 'history cleared' : 'history kept'})`,
  'said.restore': ({ device, names, count }) =>
    `${device} undid the deletion of ${count > 2 ? `${count} conversations` : list(names, ' and ', ', ')}`,
  'said.message': ({ device, to }) => `${device} wrote to ${to}`,
  'said.quit': ({ device, name }) => `${device} left the group ${name}`,
  'said.offline': ({ device }) => `${device} went offline`,
  'said.online': ({ device, ms }) => `${device} is back: caught up ${ms} after the click`,
  'said.switch': ({ on }) => `The switch was turned ${on ? 'on' : 'off'}`,
  'said.refused': ({ device, code, message }) =>
    `${device} was refused: ${t(`code.${code}`, { message })} (${code})`,
  'said.failed': ({ device, message }) => `${device} could not do it: ${message}`,
  'mark.pending': ({ device }) => `${device} …`,
  'mark.followed': ({ device, ms }) => `${device} ${ms}`,
  'mark.wait': ({ device }) => `${device} is offline, will catch up`,
  'mark.caughtUp': ({ device, ms }) => `${device} caught up ${ms} after coming back`,
  'mark.kept': ({ device }) => `${device} keeps it`,
  'mark.unheard': ({ device }) => `${device} is offline and will not hear of it`,
  'mark.overtaken': ({ device }) => `${device}: overtaken`,
  'mark.queued': ({ device, actor }) => `${device} waits until ${actor} is back online`,
  'own.delete': ({ count }) => `Deleted ${count}`,
  'own.restore': 'Undone here',
  'here.delete': ({ ms }) => `Gone after ${ms}`,
  'here.restore': ({ ms }) => `Back after ${ms}`,
  'here.message': ({ ms }) => `Arrived after ${ms}`,
  'here.quit': ({ ms }) => `Left after ${ms}`,
  'here.caughtUp': ({ ms }) => `Caught up after ${ms}`,
  'here.kept': 'Keeps it: the switch is off',
  'here.wait': 'Offline: will catch up',
  'problem.elsewhere': 'These users are open in another tab, and that tab goes on.',
  'problem.takeover': 'Continue here',
  'problem.server': ({ message }) => `The server does not answer as it should: ${message}`,
  'problem.retry': 'Try again',
  ms: ({ ms }) => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`),
};

const zh = {
  skip: '跳到设备',
  demo: '现场演示',
  language: '语言',
  afresh: '重新开始',
  page: 'chatsync 演示：一个用户，三台设备',
  title: '在一台设备上删除，其他设备随之同步。',
  subtitle: 'Alice 的三台设备和 Bob 的一台设备，每一台都是连到本服务器的独立客户端：各有自己的连接和存储。',
  switch: '多端同步删除会话',
  'switch.on': '已开启：Alice 在一台设备上删除的会话，也会从她的其他设备上消失。',
  'switch.off': '已关闭（每个应用的默认值）：删除只在本设备生效，其他设备现在和以后都会保留该会话。',
  'switch.shared': '所有演示访客共用此开关。',
  'try.delete': ({ count }) => `在手机上删除 ${count} 个会话`,
  'try.nothing': '手机上没有会话了',
  'try.undo': '撤销',
  'try.next': '接着试试：让笔记本离线后再删除；打开会话，以 Bob 的身份发消息；关闭开关。',
  'alice.devices': 'Alice 的设备',
  'bob.device': 'Bob，她的聊天对象',
  phone: '手机',
  laptop: '笔记本',
  browser: '浏览器',
  bob: 'Bob 的手机',
  online: '在线',
  connecting: '连接中…',
  offline: '离线',
  'go.offline': '断开网络',
  'go.online': '恢复网络',
  chats: '会话',
  select: '选择',
  cancel: '取消',
  all: '全选',
  'delete.one': ({ name, device }) => `在${device}上删除与 ${name} 的会话`,
  'delete.count': ({ count }) => (count > 0 ? `删除（${count}）` : '删除'),
  'clear.too': '同时清空历史消息',
  'nothing.here': '没有会话。有人发来消息时，会话会重新出现。',
  loading: '连接中…',
  unread: ({ count }) => `${count} 条未读`,
  back: '返回列表',
  'leave.group': '退群',
  left: '已退出',
  'left.group': '你已退出该群：退群之前的消息仍可阅读，但不能再发言。',
  write: ({ name }) => `发消息给 ${name}`,
  send: '发送',
  refused: ({ code, message }) => `服务器拒绝：${t(`code.${code}`, { message })}（${code}）`,
  'code.10007': '已不是该群成员',
  'code.10010': '该群已解散',
  'code.other': ({ message }) => message,
  'undone.here': ({ message }) => `未完成：${message}`,
  'tip.join': ({ names }) => `${names} 加入了群组`,
  'tip.quit': ({ names }) => `${names} 退出了群组`,
  'tip.kick': ({ names }) => `${names} 被移出群组`,
  'tip.other': '群组有变更',
  'no.history': '没有消息：历史已清空。',
  'no.connection': '离线：这些消息之前没有读取过。',
  you: '我',
  system: '系统通知',
  notice: '一条群组通知',
  timeline: '发生了什么',
  'timeline.note': '毫秒数：从点击到另一台设备的列表发生变化。',
  'timeline.empty': '还没有记录，删除一个会话试试。',
  undo: '撤销',
  undone: '已撤销',
  'said.delete': ({ device, names, count, cleared }) =>
    `${device}删除了${count > 2 ? ` ${count} 个会话` : ` ${list(names, ' 和 ', '、')} `}（${cleared ? '已清空历史' : '保留历史'}）`,
  'said.restore': ({ device, names, count }) =>
    `${device}撤销了对${count > 2 ? ` ${count} 个会话` : ` ${list(names, ' 和 ', '、')} `}的删除`,
  'said.message': ({ device, to }) => `${device}发消息给 ${to}`,
  'said.quit': ({ device, name }) => `${device}退出了群组 ${name}`,
  'said.offline': ({ device }) => `${device}已离线`,
  'said.online': ({ device, ms }) => `${device}恢复在线：点击后 ${ms}完成补齐`,
  'said.switch': ({ on }) => `开关已${on ? '打开' : '关闭'}`,
  'said.refused': ({ device, code, message }) => `${device}被拒绝：${t(`code.${code}`, { message })}（${code}）`,
  'said.failed': ({ device, message }) => `${device}未能完成：${message}`,
  'mark.pending': ({ device }) => `${device} …`,
  'mark.followed': ({ device, ms }) => `${device} ${ms}`,
  'mark.wait': ({ device }) => `${device}离线，稍后补齐`,
  'mark.caughtUp': ({ device, ms }) => `${device}恢复后 ${ms}补齐`,
  'mark.kept': ({ device }) => `${device}保留`,
  'mark.unheard': ({ device }) => `${device}离线，也不会收到`,
  'mark.overtaken': ({ device }) => `${device}：已被后续操作取代`,
  'mark.queued': ({ device, actor }) => `${device}等待${actor}恢复在线`,
  'own.delete': ({ count }) => `已删除 ${count} 个`,
  'own.restore': '已在此撤销',
  'here.delete': ({ ms }) => `${ms} 后消失`,
  'here.restore': ({ ms }) => `${ms} 后恢复`,
  'here.message': ({ ms }) => `${ms} 后到达`,
  'here.quit': ({ ms }) => `${ms} 后退群`,
  'here.caughtUp': ({ ms }) => `${ms} 后补齐`,
  'here.kept': '保留：开关已关闭',
  'here.wait': '离线：稍后补齐',
  'problem.elsewhere': '这些用户已在另一个标签页打开，由那个标签页继续。',
  'problem.takeover': '在此继续',
  'problem.server': ({ message }) => `服务器应答异常：${message}`,
  'problem.retry': '重试',
  ms: ({ ms }) => (ms < 10 ? `${ms.toFixed(1)} 毫秒` : `${Math.round(ms)} 毫秒`),
};

export const TABLES = { en, 'zh-CN': zh };
const KEPT = 'chatsync-demo/language';

let language = preferred();

function preferred() {
  const kept = localStorage.getItem(KEPT);
  if (kept in TABLES) return kept;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith('zh')) ? 'zh-CN' : 'en';
}

export const currentLanguage = () => language;

export function setLanguage(tag) {
  language = tag in TABLES ? tag : 'en';
  localStorage.setItem(KEPT, language);
}

/** The words for `key`. An error number without words of its own is told in the server's. */
export function t(key, values) {
  const table = TABLES[language];
  const words = table[key] ?? (key.startsWith('code.') ? table['code.other'] : key);
  return typeof words === 'function' ? words(values) : words;
}

/** A duration in milliseconds, with one decimal below ten. */
export const millis = (ms) => t('ms', { ms });

/** Puts the words into all elements that name them, and tells the browser which language they are in. */
export function translatePage() {
  document.documentElement.lang = language;
  document.title = t('page');
  for (const element of document.querySelectorAll('[data-i18n]')) element.textContent = t(element.dataset.i18n);
}
