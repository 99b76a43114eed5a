// Which properties has each type of crm.ts, and which parameters each operation? Printed as JSON.

import { readFileSync } from "node:fs";
import ts from "typescript";

const source = ts.createSourceFile("crm.ts", readFileSync("crm.ts", "utf8"), ts.ScriptTarget.Latest, true);

/** The members of a type literal or interface, or of several joined by `&`, by name. */
const members = (node) =>
  new Map(
    (node?.types ?? [node])
      .flatMap((each) => [...(each?.members ?? [])])
      .filter((each) => each.name)
      .map((each) => [each.name.text, each.type]),
  );
const interfaces = new Map(source.statements.filter(ts.isInterfaceDeclaration).map((each) => [each.name.text, each]));

const schemas = {};
for (const [name, type] of members(members(interfaces.get("components")).get("schemas"))) {
  schemas[name] = [...members(type).keys()];
}
const operations = {};
for (const [name, type] of members(interfaces.get("operations"))) {
  const places = [...members(members(type).get("parameters")).values()];
  operations[name] = places.flatMap((place) => [...members(place).keys()]);
}
console.log(JSON.stringify({ schemas, operations }));
