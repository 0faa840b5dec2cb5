// The few calls of the demo's own; everything else goes through the SDK.

async function call(method, path, body) {
  const response = await fetch(`api/${path}`, {
    method,
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  });
  const isJSON = response.headers.get('Content-Type')?.startsWith('application/json');
  const answer = isJSON ? await response.json() : {};
  if (!response.ok) throw new Error(answer.error?.message ?? `${method} ${path}: ${response.status}`);
  return answer;
}

/** → `{sdkAppID, users: [{userID, userSig}], expiresIn}` */
export const getUsers = (userIDList) => call('POST', 'users', { userIDList });

/** → `{sdkAppID, syncConversationDeletion}` */
export const getSwitch = () => call('GET', 'switch');

export const putSwitch = (syncConversationDeletion) => call('PUT', 'switch', { syncConversationDeletion });
