// Who is who, and what they said before the visitor came.

import { currentLanguage, t } from './i18n.js';

const NAMES = {
  en: { alice: 'Alice', bob: 'Bob', carol: 'Carol', dave: 'Dave', erin: 'Erin', group: 'Sunday hike' },
  'zh-CN': { alice: 'Alice', bob: 'Bob', carol: '小卡', dave: '大卫', erin: '艾琳', group: '周日爬山' },
};

export const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin'];

/** Names that the demo gives credentials for: `demo-NAME-SUFFIX`. */
export const userIDOf = (person, suffix) => `demo-${person}-${suffix}`;

/** `demo-NAME-SUFFIX` → NAME; anything else as it is. */
export const personOf = (userID) => /^demo-([a-z]+)-[a-z0-9]+$/.exec(userID)?.[1] ?? userID;

/** How a user is called on the page. */
export function nameOf(userID) {
  const person = personOf(userID);
  return NAMES[currentLanguage()][person] ?? person;
}

/** How a conversation is called on the page, and whose picture it has. */
export function titleOf({ conversationID, groupProfile }) {
  if (conversationID.startsWith('GROUP')) {
    return { name: groupProfile?.name || conversationID.slice('GROUP'.length), picture: 'group' };
  }
  if (!conversationID.startsWith('C2C')) return { name: t('system'), picture: 'system' };
  const userID = conversationID.slice('C2C'.length);
  return { name: nameOf(userID), picture: personOf(userID) };
}

export const groupName = () => NAMES[currentLanguage()].group;

const SAID = {
  en: {
    carol: [['carol', 'The tickets came today. Two in row F!'], ['alice', 'You are the best. Dinner before?']],
    dave: [['dave', 'Invoice 2041 is paid, thank you'], ['alice', 'Thanks for the quick work']],
    erin: [['alice', 'Happy birthday, Erin!'], ['erin', 'Thank you!! Come by for cake']],
    group: [
      ['bob', 'Who drives on Sunday?'],
      ['carol', 'I can take three'],
      ['alice', 'I bring coffee'],
      ['dave', 'Weather says sun until four'],
    ],
    bob: [['bob', 'Did you get the photos?'], ['alice', 'Yes, lovely!'], ['bob', 'Lunch tomorrow?']],
  },
  'zh-CN': {
    carol: [['carol', '票今天到了，F 排两张！'], ['alice', '太棒了，演出前一起吃饭？']],
    dave: [['dave', '2041 号发票已付款，谢谢'], ['alice', '谢谢，处理得真快']],
    erin: [['alice', '艾琳，生日快乐！'], ['erin', '谢谢！！过来吃蛋糕吧']],
    group: [
      ['bob', '周日谁开车？'],
      ['carol', '我可以带三个人'],
      ['alice', '我带咖啡'],
      ['dave', '天气预报说四点前都是晴天'],
    ],
    bob: [['bob', '照片收到了吗？'], ['alice', '收到了，很好看！'], ['bob', '明天一起吃午饭？']],
  },
};

/** What was said in each conversation, oldest conversation first. */
export const saidBefore = () => SAID[currentLanguage()];
