// What the visitor finds: conversations that people had before. They are had now, over the SDK as any other.

import { Device } from './device.js';
import { groupName, PEOPLE, saidBefore, userIDOf } from './cast.js';

const GROUP_ID_TAKEN = 10021;

/**
 * @param {{suffix: string, app: number, userSigs: Map<string, string>}} visit
 * @param {Device} alice one of her devices, online
 * @param {Device} bob his
 */
export async function furnish({ suffix, app, userSigs }, alice, bob) {
  const speakers = { alice, bob };
  const guests = PEOPLE.filter((person) => !(person in speakers)).map((person) => {
    const guest = new Device({ key: `guest-${person}`, person, platform: 'Web', suffix, app, isKept: false });
    speakers[person] = guest;
    return guest.start(userSigs.get(guest.userID)).then(() => guest);
  });
  const present = await Promise.all(guests);
  try {
    const groupID = `hike-${suffix}`;
    const others = ['alice', 'carol', 'dave'].map((person) => userIDOf(person, suffix));
    await bob.createGroup(groupID, groupName(), others).catch((error) => {
      // The page was closed in the middle of it, last time.
      if (error.code !== GROUP_ID_TAKEN) throw error;
    });
    for (const [topic, lines] of Object.entries(saidBefore())) {
      for (const [person, text] of lines) {
        const to = person === 'alice' ? topic : 'alice';
        const conversationID = topic === 'group' ? `GROUP${groupID}` : `C2C${userIDOf(to, suffix)}`;
        await speakers[person].send(conversationID, text);
      }
    }
  } finally {
    await Promise.all(present.map((guest) => guest.stop()));
  }
}
