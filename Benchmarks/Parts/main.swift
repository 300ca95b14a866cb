// What the parts of dynarc take, each by itself, on the pages of the data sets:
// `bench-parts SCRATCH-DIRECTORY DATA-SET...`. Prints a table in Markdown.

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count >= 2, let scratch = arguments.first else {
  fatalError("bench-parts SCRATCH-DIRECTORY DATA-SET...")
}
print("| part | data | per core |\n|---|---|---|")
for directory in arguments.dropFirst() {
  let input = try Input(directory: directory)
  try measureScanning(input)
  try measureArchive(input, scratch: scratch)
}
try measureRequests()
