// What does a program on the generated types look like? It does the main job, and says what it did.
// Run with CRM_URL, CRM_USERNAME and CRM_PASSWORD, beside the generated file `crm.ts`.

import assert from "node:assert/strict";
import process from "node:process";
import createClient from "openapi-fetch";
import type { components, paths } from "./crm.js";

type Schemas = components["schemas"];
const NOBODY = "0198c0de-0000-7000-8000-000000000000";
const crm = createClient<paths>({ baseUrl: process.env.CRM_URL });

function say(...said: unknown[]): void {
  console.log(...said.map((each) => (Array.isArray(each) ? JSON.stringify(each) : each)));
}

/** The answer, where it is no problem. */
function good<Data>(answer: { data?: Data; error?: Schemas["Problem"] | string }): Data {
  assert.equal(answer.error, undefined, JSON.stringify(answer.error));
  assert.ok(answer.data !== undefined);
  return answer.data;
}

/** The answer, which must be a problem. A text is what a browser is told that sends a form. */
function problem(answer: { error?: Schemas["Problem"] | string }): Schemas["Problem"] {
  assert.ok(answer.error && typeof answer.error === "object");
  return answer.error;
}

async function signIn(): Promise<void> {
  const { CRM_USERNAME: username = "", CRM_PASSWORD: password = "" } = process.env;
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const tokens = good(await crm.POST("/v1/auth/token", { headers, body: { username, password } }));
  crm.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${tokens.access_token}`);
    },
  });
  say("signed in as", good(await crm.GET("/v1/me")).name);
}

async function makeCustomers(): Promise<Schemas["CustomerRead"][]> {
  const picklists = good(await crm.GET("/v1/picklists", { params: { query: { key: ["sector"] } } })).items;
  const sectors = (picklists[0]?.options ?? []).map((option) => option.key);
  const made: Schemas["CustomerRead"][] = [];
  for (const number of [0, 1, 2, 3, 4]) {
    const body: Schemas["CustomerCreate"] = {
      name: `Acme ${number}`,
      kind: "company",
      sector: sectors[number % 2],
      annual_revenue: "1234.50",
      currency: "EUR",
      phones: [{ number: "+34 912 345 678", kind: "mobile", primary: true }],
    };
    const params = { header: { "Idempotency-Key": `customer ${number}` } };
    await crm.POST("/v1/customers", { params, body });
    // Sent twice, as after a lost answer: one customer.
    made.push(good(await crm.POST("/v1/customers", { params, body })));
  }
  const first = made[0];
  say("created", made.length, "customers in", sectors.slice(0, 2), "with", first?.annual_revenue, first?.phones?.[0]?.number);
  return made;
}

async function pageThrough(sectors: string[]): Promise<void> {
  const names: unknown[] = [];
  let pages = 0;
  let cursor: string | undefined;
  let total: number | null = null;
  do {
    const page: Schemas["Page_CustomerRead_"] = good(
      await crm.GET("/v1/customers", {
        params: { query: { sector: sectors, sort: ["-sector", "name"], limit: 2, count: "exact", cursor } },
      }),
    );
    names.push(...page.items.map((customer) => customer.name));
    cursor = page.next_cursor ?? undefined;
    total = page.total;
    pages += 1;
  } while (cursor);
  say("listed", names, "of", total, "on", pages, "pages");
}

async function change(customer: Schemas["CustomerRead"]): Promise<void> {
  const params = { path: { id: customer.id }, header: { "if-match": `"${customer.version}"` } };
  const body: Schemas["CustomerUpdate"] = { website: "https://acme.example", currency: "USD" };
  const changed = good(await crm.PATCH("/v1/customers/{id}", { params, body }));
  say("changed to version", changed.version, "with", changed.website, changed.currency);
  const stale = problem(await crm.PATCH("/v1/customers/{id}", { params, body }));
  say("refused", stale.status, stale.code, stale.version, Object.keys(stale.changed ?? {}).sort());
}

async function meetProblems(): Promise<void> {
  const missing = problem(await crm.GET("/v1/customers/{id}", { params: { path: { id: NOBODY } } }));
  say("refused", missing.status, missing.code);
  const body: Schemas["CustomerCreate"] = { name: "Acme", sector: "no such sector" };
  const invalid = problem(await crm.POST("/v1/customers", { body }));
  say("refused", invalid.status, invalid.code, invalid.errors.map((error) => error.pointer));
}

async function fillInForm(): Promise<void> {
  // The path is one for both: an id is asked for the form as it was set up, a key for what its visitors see.
  const form = good(await crm.GET("/v1/forms/{id}", { params: { path: { id: "contact" }, query: { language: "en" } } }));
  assert.ok("stamp" in form && form.consent);
  say("the form asks for", form.fields.map((field) => field.key), "and", form.consent.text);
  // Nobody signs in to send it. The other kinds of body are what browsers send, and this one is sent as JSON.
  const visitor = createClient<paths>({ baseUrl: process.env.CRM_URL });
  const path = { key: "contact" };
  const params = { path, query: { utm_source: "news" } };
  const body: Schemas["FormSubmission"] = {
    name: "Luis Gómez",
    email: "luis@acme.example",
    request: "quote",
    consent: true,
    language: "it",
  };
  const received = good(await visitor.POST("/v1/forms/{key}/submissions", { params, body }));
  assert.ok(typeof received === "object");
  say("received", received.message);
  const lacking: Schemas["FormSubmission"] = { email: "luis@acme.example" };
  const refused = problem(await visitor.POST("/v1/forms/{key}/submissions", { params: { path }, body: lacking }));
  say("refused", refused.status, refused.code, refused.errors.map((error) => error.pointer));
}

async function findLead(): Promise<Schemas["LeadRead"]> {
  const query = { q: "gomez", stage: ["new"], sort: ["-created_at" as const] };
  // A worker makes the lead, in a moment.
  let leads: Schemas["LeadRead"][] = [];
  for (let tries = 0; !leads.length && tries < 100; tries += 1) {
    leads = good(await crm.GET("/v1/leads", { params: { query } })).items;
    if (!leads.length) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const [lead, ...others] = leads;
  assert.ok(lead && !others.length);
  say("found", lead.name, lead.emails?.[0]?.address, lead.stage, lead.channel, lead.utm?.source);
  return lead;
}

async function convert(lead: Schemas["LeadRead"]): Promise<{ opportunityId: string; customerId: string }> {
  const params = { path: { id: lead.id } };
  const opportunity: Schemas["LeadOpportunity"] = {
    name: "Valves",
    amount: "9900.00",
    currency: "EUR",
    expected_close_on: "2030-01-31",
  };
  await crm.POST("/v1/leads/{id}/convert", { params, body: { opportunity } });
  // Sent twice, as after a lost answer: one customer.
  const converted = good(await crm.POST("/v1/leads/{id}/convert", { params, body: { opportunity } }));
  assert.ok(converted.opportunity_id && converted.customer_id);
  const path = { id: converted.opportunity_id };
  const opened = good(await crm.GET("/v1/opportunities/{id}", { params: { path } }));
  say("converted to", opened.name, "in", opened.stage, "of", opened.amount, "to close on", opened.expected_close_on);
  return { opportunityId: converted.opportunity_id, customerId: converted.customer_id };
}

async function move(opportunityId: string): Promise<void> {
  const params = { path: { id: opportunityId } };
  const refused = problem(await crm.POST("/v1/opportunities/{id}/stage", { params, body: { stage: "won" } }));
  say("refused", refused.status, refused.code, refused.stage, refused.allowed);
  const stage = refused.allowed?.[0] ?? "";
  const moved = good(await crm.POST("/v1/opportunities/{id}/stage", { params, body: { stage } }));
  const stays = good(await crm.GET("/v1/opportunities/{id}/stages", { params })).items;
  say("moved to", moved.stage, "after", stays.filter((stay) => stay.left_at).map((stay) => stay.stage));
}

async function readHistory(customerId: string): Promise<void> {
  const params = { path: { id: customerId } };
  const events = good(await crm.GET("/v1/customers/{id}/timeline", { params })).items;
  assert.ok(events[0] && Object.keys(events[0].changes).length);
  say("read", events.reverse().map((event) => event.type));
}

await signIn();
const customers = await makeCustomers();
const customer = customers[0];
assert.ok(customer);
await pageThrough(customers.slice(0, 2).map((each) => each.sector ?? ""));
await change(customer);
await meetProblems();
await fillInForm();
const { opportunityId, customerId } = await convert(await findLead());
await move(opportunityId);
await readHistory(customerId);
