// Groups and friends as the application sees them. Pure.

/**
 * @param {import('./wire.d.ts').Group} answer
 * @param {string[]} asked
 */
export function added(answer, asked) {
  const successUserIDList = answer.userIDList ?? [];
  return {
    successUserIDList,
    failureUserIDList: [],
    existedUserIDList: asked.filter((userID) => !successUserIDList.includes(userID)),
    group: answer.group,
  };
}

/** @param {{userID: string, role: string, joinTime: number}} wire */
export function member({ userID, role, joinTime }) {
  return { userID, role, joinTime: Math.floor(joinTime / 1000), nick: '', avatar: '', nameCard: '', muteUntil: 0 };
}

/** @param {{userID: string}} wire */
export function friend({ userID }) {
  return {
    userID, profile: { userID, nick: '', avatar: '' }, timeStamp: 0, source: '', remark: '', groupList: [],
    friendCustomField: [],
  };
}
