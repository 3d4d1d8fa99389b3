package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// today puts what is done on a day on the agenda: deploys, scaling, rotation,
// secrets that come and go, pages by night.
func (e *engine) today() {
	day := e.hour - e.hour%86400
	share := 1.0
	if e.c.sample {
		share = min(1, e.c.scale) // a small sample organisation has few operations
	}
	for _, t := range e.w.Teams {
		if chance(e.rng, deploysPerDay*share) {
			e.planDeploy(t, day)
		}
	}
	for _, p := range e.programs {
		if (p.wl.Class == estate.ECS || p.wl.Class == estate.EC2) && p.wl.App != nil && chance(e.rng, scalesPerDay*share) {
			e.agenda = append(e.agenda, task{day + int64(e.rng.IntN(86400)), func() { e.scaleOut(p) }})
		}
	}
	for i, s := range e.w.Secrets {
		if s.Rotates > 0 && (day/86400+int64(i))%int64(s.Rotates) == 0 {
			at := day + int64(textHash(s.ARN)%86400)
			e.agenda = append(e.agenda, task{at, func() { e.rotate(e.secrets[s], at) }})
		}
		e.planLife(s, day)
	}
	for range poisson(e.rng, tagEditsPerDay*share*float64(len(e.w.Secrets))/100) {
		at := day + int64(e.rng.IntN(86400))
		s := e.secrets[one(e.rng, e.w.Secrets)]
		e.agenda = append(e.agenda, task{at, func() { e.tag(s, at) }})
	}
	if chance(e.rng, pagesPerDay*share) {
		t := one(e.rng, e.w.Teams)
		local := time.Unix(day, 0).In(e.clock(t.Zone).loc)
		at := time.Date(local.Year(), local.Month(), local.Day(), 1+e.rng.IntN(4), e.rng.IntN(60), 0, 0, local.Location()).Unix()
		for at < day {
			at += 86400
		}
		e.agenda = append(e.agenda, task{at, func() { e.page(t, at) }})
	}
}

// planDeploy has a team deploy one of its applications in working hours.
func (e *engine) planDeploy(t *estate.Team, day int64) {
	c := e.clock(t.Zone)
	noon := c.at(day + 12*3600)
	if !noon.work || len(t.Apps) == 0 {
		return
	}
	app := one(e.rng, t.Apps)
	for hour := day; hour < day+86400; hour += 3600 {
		if c.at(hour).hour == 10 {
			at := hour + int64(e.rng.IntN(7*3600))
			e.agenda = append(e.agenda, task{at, func() { e.deploy(app, at) }})
			return
		}
	}
}

// deploy replaces an application's programs: the pipeline's calls, then reads
// of every secret.
func (e *engine) deploy(app *estate.App, at int64) {
	marked := !chance(e.rng, deployUnmarked)
	before := at - int64(e.rng.IntN(300))
	reads := deployReadsMin + e.rng.IntN(deployReadsMax-deployReadsMin+1)
	if e.c.records > 0 {
		reads = deployReadsMin
	}
	over := int64(60 + e.rng.IntN(420))
	readers := map[*secret]int{} // share them
	for _, wl := range app.Workloads {
		for _, f := range e.byWork[wl].flows {
			readers[f.secrets[0]]++
		}
	}
	for _, wl := range app.Workloads {
		p := e.byWork[wl]
		if !p.alive(at) {
			continue
		}
		if marked {
			e.marker(p, before)
		}
		for range p.live {
			p.renew()
		}
		for _, f := range p.flows {
			n := (reads + readers[f.secrets[0]] - 1) / readers[f.secrets[0]]
			if len(f.secrets) > 1 {
				n = max(2, n/4) // starts, each of which reads all
			}
			for range n {
				e.startPlain(p, f, at+int64(e.rng.IntN(int(over))))
			}
		}
	}
}

// startPlain is a start that operations bring about, unless a change has
// silenced the program.
func (e *engine) startPlain(p *program, f *flow, at int64) {
	active := activeIn(f.changes, at, at+1)
	for _, c := range active {
		if c.Rate < 0 && e.rng.Float64() < c.share() {
			return
		}
	}
	e.start(p, f, at, active)
}

// marker is what the pipeline's deploy of a program leaves in the log.
func (e *engine) marker(p *program, at int64) {
	by := p.account.pipeline
	if by == nil {
		return
	}
	wl := p.wl
	do := func(after int64, source, name, req string) {
		e.emit(call{at: at + after, who: by.any(e.rng), op: &operation{source: source, name: name}, in: p.account.stream(wl.Region), more: &more{req: req}})
	}
	switch wl.Class {
	case estate.Lambda:
		do(0, "lambda", "UpdateFunctionCode20150331v2", `{"functionName":"`+wl.Name+`","dryRun":false,"publish":true}`)
	case estate.ECS:
		do(0, "ecs", "RegisterTaskDefinition", `{"family":"`+wl.Name+`","networkMode":"awsvpc","taskRoleArn":"`+wl.Role+`"}`)
		do(15, "ecs", "UpdateService", `{"cluster":"`+wl.Account.Name+`","service":"`+wl.Name+`","taskDefinition":"`+wl.Name+`","forceNewDeployment":true}`)
	case estate.EC2:
		do(0, "autoscaling", "StartInstanceRefresh", `{"autoScalingGroupName":"`+wl.Name+`","strategy":"Rolling"}`)
	default:
		do(0, "codepipeline", "StartPipelineExecution", `{"name":"`+wl.Name+`"}`)
	}
}

// scaleOut adds a task or an instance to a service in place of the oldest one:
// it reads what it needs.
func (e *engine) scaleOut(p *program) {
	at := e.hour + int64(e.rng.IntN(3600))
	if !p.alive(at) {
		return
	}
	host := "autoscaling.amazonaws.com"
	op, req := &operation{source: "ec2", name: "RunInstances"}, `{"instanceType":"m7g.large","instancesSet":{"items":[{"minCount":1,"maxCount":1}]},"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"service","value":"`+p.wl.Name+`"}]}]}}`
	if p.wl.Class == estate.ECS {
		host, op = "ecs.application-autoscaling.amazonaws.com", &operation{source: "ecs", name: "UpdateService"}
		req = `{"cluster":"` + p.wl.Account.Name + `","service":"` + p.wl.Name + `","desiredCount":` + fmt.Sprint(2+e.rng.IntN(9)) + `}`
	}
	by := newPrincipal(service, host, traits{}).session("", host, host)
	e.emit(call{at: at - int64(20+e.rng.IntN(70)), who: by, op: op, in: p.account.stream(p.wl.Region), more: &more{req: req}})
	p.renew()
	for _, f := range p.flows {
		e.startPlain(p, f, at+int64(e.rng.IntN(20)))
	}
}

// rotate is a rotation function's work on a secret.
func (e *engine) rotate(s *secret, at int64) {
	p := s.account.renewer[s.Region]
	if p == nil || !s.exists(at) {
		return
	}
	who := p.any(e.rng)
	in := s.account.stream(s.Region)
	token := `,"clientRequestToken":"` + uuid(e.rng) + `"`
	id := s.params("", s.Region)
	id = id[:len(id)-1]
	do := func(after int64, name, rest string, readOnly bool) {
		e.emit(call{at: at + after, who: who, op: &operation{source: "secretsmanager", name: name, readOnly: readOnly}, in: in, more: &more{req: id + rest + "}"}})
	}
	get := func(after int64, stage string) {
		e.read(call{at: at + after, who: who, secret: s, in: in, more: &more{req: id + `,"versionStage":"` + stage + `"}`}}, nil)
	}
	host := "secretsmanager.amazonaws.com"
	e.emit(call{at: at - 2, who: newPrincipal(service, host, traits{}).session("", host, host), op: &operation{source: "secretsmanager", name: "RotateSecret"}, in: in, more: &more{req: id + "}"}})
	do(0, "DescribeSecret", "", true)
	get(1, "AWSCURRENT")
	do(2, "PutSecretValue", token+`,"versionStages":["AWSPENDING"]`, false)
	get(6, "AWSPENDING")
	get(11, "AWSPENDING")
	do(14, "DescribeSecret", "", true)
	do(15, "UpdateSecretVersionStage", `,"versionStage":"AWSCURRENT"`, false)
}

// planLife has the pipeline make and delete secrets, and what a new
// application needs.
func (e *engine) planLife(s *estate.Secret, day int64) {
	t := e.secrets[s]
	by := t.account.pipeline
	if by == nil {
		return
	}
	do := func(at int64, name, req string) {
		in := t.account.stream(s.Region)
		op := &operation{source: "secretsmanager", name: name}
		switch s.Sort {
		case estate.SortParameter:
			op.source = "ssm"
		case estate.SortKey:
			op.source = "kms"
		}
		e.agenda = append(e.agenda, task{at, func() {
			e.emit(call{at: at, who: by.any(e.rng), op: op, in: in, more: &more{req: req}})
		}})
	}
	if t.from >= day && t.from < day+86400 {
		switch s.Sort {
		case estate.SortParameter:
			do(t.from, "PutParameter", `{"name":"`+s.Name+`","type":"SecureString","tier":"Standard"}`)
		case estate.SortKey:
			do(t.from, "EnableKey", `{"keyId":"`+s.ARN+`"}`)
		default:
			do(t.from, "CreateSecret", `{"name":"`+s.Name+`","kmsKeyId":"`+s.Key+`"}`)
			if chance(e.rng, 0.3) {
				do(t.from+20, "ReplicateSecretToRegions", `{"secretId":"`+s.ARN+`","addReplicaRegions":[{"region":"`+s.Account.DR+`"}]}`)
			}
		}
		if s.App != nil && s.App.Secrets[0] == s {
			e.found(s.App, t.from)
		}
	}
	if t.until >= day && t.until < day+86400 && t.until > 0 {
		switch s.Sort {
		case estate.SortParameter:
			do(t.until, "DeleteParameter", `{"name":"`+s.Name+`"}`)
		case estate.SortKey:
			do(t.until, "ScheduleKeyDeletion", `{"keyId":"`+s.ARN+`","pendingWindowInDays":30}`)
		default:
			do(t.until, "DeleteSecret", `{"secretId":"`+s.ARN+`","recoveryWindowInDays":30}`)
		}
	}
}

// found is what the log has of a new application's roles and programs.
func (e *engine) found(app *estate.App, at int64) {
	for i, wl := range app.Workloads {
		p := e.byWork[wl]
		if wl.From.IsZero() || p.account.pipeline == nil {
			continue
		}
		who := p.account.pipeline.any(e.rng)
		do := func(after int64, source, name, req string) {
			when := at - 600 + int64(60*i) + after
			in := p.account.stream(wl.Region)
			if source == "iam" {
				in = p.account.stream(global)
			}
			e.agenda = append(e.agenda, task{when, func() {
				e.emit(call{at: when, who: who, op: &operation{source: source, name: name}, in: in, more: &more{req: req}})
			}})
		}
		role := wl.Role[slices.Index([]byte(wl.Role), '/')+1:]
		do(0, "iam", "CreateRole", `{"roleName":"`+role+`"}`)
		do(5, "iam", "PutRolePolicy", `{"roleName":"`+role+`","policyName":"read-secrets"}`)
		switch wl.Class {
		case estate.Lambda:
			do(20, "lambda", "CreateFunction20150331", `{"functionName":"`+wl.Name+`","role":"`+wl.Role+`"}`)
		case estate.ECS:
			do(20, "ecs", "RegisterTaskDefinition", `{"family":"`+wl.Name+`","taskRoleArn":"`+wl.Role+`"}`)
			do(30, "ecs", "CreateService", `{"serviceName":"`+wl.Name+`","cluster":"`+wl.Account.Name+`"}`)
		case estate.EC2:
			do(20, "autoscaling", "CreateAutoScalingGroup", `{"autoScalingGroupName":"`+wl.Name+`"}`)
		}
	}
}

func (e *engine) tag(s *secret, at int64) {
	if s.Sort != estate.SortSecret || s.account.pipeline == nil || !s.exists(at) {
		return
	}
	id := s.params("", s.Region)
	e.emit(call{at: at, who: s.account.pipeline.any(e.rng), op: &operation{source: "secretsmanager", name: "TagResource"}, in: s.account.stream(s.Region),
		more: &more{req: id[:len(id)-1] + `,"tags":[{"key":"cost-centre","value":"` + fmt.Sprint(100+e.rng.IntN(900)) + `"}]}`}})
}
