// Asks as its argument says, {"url", "fields", "body"}, and prints the coding of the response and then
// each piece of its text as soon as it is decoded: a line of JSON each.
const request = JSON.parse(process.argv[2]);
const response = await fetch(request.url, {
  method: "POST",
  headers: request.fields,
  body: request.body,
});
console.log(JSON.stringify(response.headers.get("content-encoding") ?? "identity"));
const decoder = new TextDecoder();
for await (const bytes of response.body) {
  console.log(JSON.stringify(decoder.decode(bytes, { stream: true })));
}
