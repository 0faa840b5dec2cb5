// What a program asks of groups and friends.

import { EVENT, TYPES } from './constants.js';
import { ok } from './errors.js';
import { added, friend, member } from './groups.js';

/** @typedef {import('./client.js').Client} Client */

/**
 * @param {Client} client
 * @param {{name: string, type?: string, groupID?: string, memberList?: {userID: string, role?: string}[]}} options
 */
export async function createGroup(client, { name, type, groupID, memberList }) {
  const session = client.ready('createGroup');
  const members = memberList?.map(({ userID, role }) => ({ userID, role }));
  const answer = await session.operate('group.create', { name, type, groupID, memberList: members });
  const { group, userIDList = [] } = answer;
  return ok({ group, successUserIDList: userIDList, overLimitUserIDList: [] });
}

/**
 * @param {Client} client
 * @param {{groupID: string}} options
 */
export async function joinGroup(client, { groupID }) {
  const { group, version } = await client.ready('joinGroup').operate('group.join', { groupID });
  const status = version === undefined ? TYPES.JOIN_STATUS_ALREADY_IN_GROUP : TYPES.JOIN_STATUS_SUCCESS;
  return ok({ status, group });
}

/**
 * @param {Client} client
 * @param {string} groupID
 */
export async function quitGroup(client, groupID) {
  await client.ready('quitGroup').operate('group.quit', { groupID });
  return ok({ groupID });
}

/**
 * @param {Client} client
 * @param {string} groupID
 */
export async function dismissGroup(client, groupID) {
  await client.ready('dismissGroup').operate('group.dismiss', { groupID });
  return ok({ groupID });
}

/**
 * @param {Client} client
 * @param {{groupID: string, userIDList: string[]}} options
 */
export async function addGroupMember(client, { groupID, userIDList }) {
  const answer = await client.ready('addGroupMember').operate('group.addMember', { groupID, userIDList });
  return ok(added(answer, userIDList));
}

/**
 * @param {Client} client
 * @param {{groupID: string, userIDList: string[], reason?: string}} options
 */
export async function deleteGroupMember(client, { groupID, userIDList, reason }) {
  const params = { groupID, userIDList, reason };
  const answer = await client.ready('deleteGroupMember').operate('group.deleteMember', params);
  return ok({ group: answer.group, userIDList: answer.userIDList ?? [] });
}

/** @param {Client} client */
export async function getGroupList(client) {
  const { groupList } = await client.ready('getGroupList').ask('group.list', {});
  return ok({ groupList });
}

/**
 * @param {Client} client
 * @param {{groupID: string, count?: number, offset?: number}} options
 */
export async function getGroupMemberList(client, { groupID, count = 15, offset = 0 }) {
  const session = client.ready('getGroupMemberList');
  const { memberList } = await session.ask('group.memberList', { groupID, count, offset });
  const isLast = memberList.length < count;
  return ok({ memberList: memberList.map(member), offset: isLast ? 0 : offset + memberList.length });
}

/**
 * @param {Client} client
 * @param {{to: string}} options
 */
export async function addFriend(client, { to }) {
  await client.ready('addFriend').operate('friend.add', { to });
  friendsChanged(client);
  return ok({ userID: to, code: 0, message: '' });
}

/**
 * @param {Client} client
 * @param {{userIDList: string[]}} options
 */
export async function deleteFriend(client, { userIDList }) {
  const { friendList } = await client.ready('deleteFriend').operate('friend.delete', { userIDList });
  friendsChanged(client);
  return ok({ successUserIDList: friendList, failureUserIDList: [] });
}

/** @param {Client} client */
export async function getFriendList(client) {
  const { friendList } = await client.ready('getFriendList').ask('friend.list', {});
  return ok(friendList.map(friend));
}

/** @param {Client} client */
async function friendsChanged(client) {
  try {
    const { data } = await getFriendList(client);
    client.emit(EVENT.FRIEND_LIST_UPDATED, { data });
  } catch (error) {
    client.log.warn('the list of friends could not be read', error);
  }
}
