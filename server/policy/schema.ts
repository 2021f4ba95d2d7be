/**
 * What a tenant's rules may speak of, as a Cedar schema. Rules are validated against it before they are ever asked; what
 * the engine is given (question.ts, given-entities.ts) has this form.
 */

export const CEDAR_SCHEMA = `entity Tenant;

// On whose behalf work is done. Tags are the claims its issuer's trust rule believes.
entity User in [Tenant] { issuer: String } tags Set<String>;

// class: "retrieval", "worker" or "orchestrator"; binding: "dpop", "mtls" or "bearer".
entity Agent in [Tenant] { class: String, owner: String, purpose?: String, binding: String };

// kind: "api" or "agent"; sensitivity: "low", "moderate" or "high".
entity Resource in [Tenant] { kind: String, sensitivity: String, owner?: String };

// resource: the API that defines it; tier: "read", "propose" or "execute".
entity Scope in [Resource] { tier: String, sensitivity: String, resource: Resource };

// basis: "policy" (opened for a user) or "client" (by an agent on its own behalf).
entity TaskType in [Tenant] { basis: String };

entity Task in [Tenant] { type: TaskType, opener: Agent, opened_at: datetime, deadline: datetime };

// now and weekday ("monday" to "sunday") are UTC.
// Asked once, when a task is opened. What the caller says stands in request: nobody vouches for it.
action open appliesTo {
  principal: Agent,
  resource: TaskType,
  context: {
    subject?: User,
    key: String,
    now: datetime,
    weekday: String,
    request: { scope: Set<String>, purpose?: String }
  }
};

// Asked for each scope: may the principal use it at this API? chain holds the agents from the root to the principal,
// the principal included; depth is their number; key: "dpop", "mtls" or "none".
action call appliesTo {
  principal: Agent,
  resource: Resource,
  context: {
    scope: Scope,
    subject?: User,
    task: Task,
    task_type: TaskType,
    basis: String,
    opener: Agent,
    chain: Set<Agent>,
    chain_classes: Set<String>,
    chain_owners: Set<String>,
    depth: Long,
    key: String,
    now: datetime,
    weekday: String,
    request: { scope: Set<String> }
  }
};

// Asked for each scope: may the principal hand it on to the recipient, the agent that answers at this resource?
action delegate appliesTo {
  principal: Agent,
  resource: Resource,
  context: {
    scope: Scope,
    recipient: Agent,
    subject?: User,
    task: Task,
    task_type: TaskType,
    basis: String,
    opener: Agent,
    chain: Set<Agent>,
    chain_classes: Set<String>,
    chain_owners: Set<String>,
    depth: Long,
    key: String,
    now: datetime,
    weekday: String,
    request: { scope: Set<String> }
  }
};

// May this person say yes to the scope for this task?
action approve appliesTo {
  principal: User,
  resource: Task,
  context: { scope: Scope, chain: Set<Agent>, chain_classes: Set<String>, now: datetime }
};
`

/** Annotations a rule may have, in the order they are documented. */
export const ANNOTATIONS = ['id', 'max_ttl', 'max_depth', 'require_key', 'approval'] as const
