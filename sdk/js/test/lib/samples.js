// The samples of the Web SDK's page on deleting conversations, as they stand there.

export const SAMPLES = [
  String.raw`
// delete the specified conversation and clear chat history
let promise = chat.deleteConversation('C2CExample');
promise.then(function(imResponse) {
// Deleted the conversation successfully
const { conversationID } = imResponse.data;// ID of the deleted conversation
}).catch(function(imError) {
console.warn('deleteConversation error:', imError); // Failed to delete the conversation
});
`,
  String.raw`
// delete the specified conversation and not clear chat history
let promise = chat.deleteConversation({conversationIDList: ['C2CExample'], clearHistoryMessage: false});
promise.then(function(imResponse) {
// Deleted the conversation successfully
const { conversationIDList } = imResponse.data; // ID of the deleted conversation
}).catch(function(imError) {
console.warn('deleteConversation error:', imError); // Failed to delete the conversation
});
`,
  String.raw`
// delete multiple conversations and clear chat history
let promise = chat.deleteConversation({conversationIDList: ['C2CExample', 'GROUPExample']});
promise.then(function(imResponse) {
const { conversationIDList } = imResponse.data; // ID list of the deleted conversations
}).catch(function(imError) {
console.warn('deleteConversation error:', imError); // Failed to delete the conversation
});
`,
  String.raw`
// delete multiple conversations and clear chat history
let promise = chat.deleteConversation({
conversationIDList: ['C2CExample', 'GROUPExample'],
clearHistoryMessage: false
});
promise.then(function(imResponse) {
const { conversationIDList } = imResponse.data; // ID list of the deleted conversations
}).catch(function(imError) {
console.warn('deleteConversation error:', imError); // Failed to delete the conversation
});
`,
];

/** What each leaves: the result's data, what is listed after it, and whether what was said can still be read. */
export const OUTCOMES = [
  { data: { conversationID: 'C2CExample' }, left: ['GROUPExample'], isHistoryKept: false },
  { data: { conversationIDList: ['C2CExample'] }, left: ['GROUPExample'], isHistoryKept: true },
  { data: { conversationIDList: ['C2CExample', 'GROUPExample'] }, left: [], isHistoryKept: false },
  { data: { conversationIDList: ['C2CExample', 'GROUPExample'] }, left: [], isHistoryKept: true },
];
