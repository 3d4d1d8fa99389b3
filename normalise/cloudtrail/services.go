package cloudtrail

// rule says that a parameter names a resource.
type rule struct {
	// param is the path in requestParameters; behind "<" in responseElements,
	// for what the call made. Arrays on the way are gone through.
	param string
	typ   string
	arn   form
	in    string // the operation must contain it, where a name means many things
}

// services holds, by eventSource, which parameters name which resources; the
// one an operation is about stands before those it only mentions.
var services = map[string][]rule{
	"secretsmanager.amazonaws.com": {
		{param: "<arn", typ: "AWS::SecretsManager::Secret", arn: secret},
		{param: "<aRN", typ: "AWS::SecretsManager::Secret", arn: secret},
		{param: "secretId", typ: "AWS::SecretsManager::Secret", arn: secret},
		{param: "secretIdList", typ: "AWS::SecretsManager::Secret", arn: secret},
		{param: "name", typ: "AWS::SecretsManager::Secret", arn: secret, in: "CreateSecret"},
	},
	"kms.amazonaws.com": {
		{param: "<keyMetadata.arn", typ: "AWS::KMS::Key", arn: key},
		{param: "keyId", typ: "AWS::KMS::Key", arn: key},
		{param: "targetKeyId", typ: "AWS::KMS::Key", arn: key},
		{param: "destinationKeyId", typ: "AWS::KMS::Key", arn: key},
		{param: "sourceKeyId", typ: "AWS::KMS::Key", arn: key},
		{param: "aliasName", typ: "AWS::KMS::Alias", arn: form{service: "kms", kind: kmsKey, prefix: "alias/"}},
	},
	"ssm.amazonaws.com": {
		{param: "name", typ: "AWS::SSM::Parameter", arn: ssmParameter, in: "Parameter"},
		{param: "names", typ: "AWS::SSM::Parameter", arn: ssmParameter, in: "Parameter"},
		{param: "path", typ: "AWS::SSM::Parameter", arn: ssmParameter, in: "Parameter"},
		{param: "resourceId", typ: "AWS::SSM::Parameter", arn: ssmParameter, in: "Tag"},
		{param: "target", typ: "AWS::EC2::Instance", arn: instance, in: "Session"},
		{param: "instanceId", typ: "AWS::EC2::Instance", arn: instance},
		{param: "instanceIds", typ: "AWS::EC2::Instance", arn: instance},
		{param: "documentName", typ: "AWS::SSM::Document", arn: form{service: "ssm", prefix: "document/"}},
		{param: "name", typ: "AWS::SSM::Document", arn: form{service: "ssm", prefix: "document/"}, in: "Document"},
	},
	"s3.amazonaws.com": {
		{param: "bucketName", typ: "AWS::S3::Bucket", arn: form{service: "s3", kind: unscoped}},
	},
	"sts.amazonaws.com": {
		{param: "roleArn", typ: "AWS::IAM::Role", arn: form{kind: onlyARN}},
		{param: "targetPrincipal", typ: "AWS::Organizations::Account", arn: form{kind: onlyARN}},
	},
	"iam.amazonaws.com": {
		{param: "<user.arn", typ: "AWS::IAM::User", arn: user},
		{param: "<role.arn", typ: "AWS::IAM::Role", arn: role},
		{param: "<policy.arn", typ: "AWS::IAM::ManagedPolicy", arn: managedPolicy},
		{param: "<group.arn", typ: "AWS::IAM::Group", arn: form{service: "iam", prefix: "group/", kind: global}},
		{param: "<instanceProfile.arn", typ: "AWS::IAM::InstanceProfile", arn: instanceProfile},
		{param: "userName", typ: "AWS::IAM::User", arn: user},
		{param: "roleName", typ: "AWS::IAM::Role", arn: role},
		{param: "groupName", typ: "AWS::IAM::Group", arn: form{service: "iam", prefix: "group/", kind: global}},
		{param: "instanceProfileName", typ: "AWS::IAM::InstanceProfile", arn: instanceProfile},
		{param: "policyName", typ: "AWS::IAM::ManagedPolicy", arn: managedPolicy, in: "CreatePolicy"},
		{param: "policyArn", typ: "AWS::IAM::ManagedPolicy", arn: managedPolicy},
		{param: "serialNumber", typ: "AWS::IAM::VirtualMFADevice", arn: form{service: "iam", prefix: "mfa/", kind: onlyARN}},
		{param: "sAMLProviderArn", typ: "AWS::IAM::SAMLProvider", arn: form{service: "iam", prefix: "saml-provider/", kind: onlyARN}},
		{param: "openIDConnectProviderArn", typ: "AWS::IAM::OIDCProvider", arn: form{service: "iam", prefix: "oidc-provider/", kind: onlyARN}},
	},
	"lambda.amazonaws.com": {
		{param: "<functionArn", typ: "AWS::Lambda::Function", arn: lambda},
		{param: "functionName", typ: "AWS::Lambda::Function", arn: lambda},
		{param: "layerName", typ: "AWS::Lambda::LayerVersion", arn: form{service: "lambda", prefix: "layer:"}},
		{param: "resource", typ: "AWS::Lambda::Function", arn: form{kind: onlyARN}},
	},
	"cloudtrail.amazonaws.com": {
		{param: "<trailARN", typ: "AWS::CloudTrail::Trail", arn: trail},
		{param: "name", typ: "AWS::CloudTrail::Trail", arn: trail, in: "Logging"},
		{param: "name", typ: "AWS::CloudTrail::Trail", arn: trail, in: "Trail"},
		{param: "trailName", typ: "AWS::CloudTrail::Trail", arn: trail},
		{param: "trailNameList", typ: "AWS::CloudTrail::Trail", arn: trail},
		{param: "eventDataStore", typ: "AWS::CloudTrail::EventDataStore", arn: form{service: "cloudtrail", prefix: "eventdatastore/"}},
	},
	"ec2.amazonaws.com": ec2Rules,
	"rds.amazonaws.com": {
		{param: "dBSnapshotIdentifier", typ: "AWS::RDS::DBSnapshot", arn: form{service: "rds", prefix: "snapshot:"}},
		{param: "dbSnapshotIdentifier", typ: "AWS::RDS::DBSnapshot", arn: form{service: "rds", prefix: "snapshot:"}},
		{param: "dBClusterSnapshotIdentifier", typ: "AWS::RDS::DBClusterSnapshot", arn: form{service: "rds", prefix: "cluster-snapshot:"}},
		{param: "dBInstanceIdentifier", typ: "AWS::RDS::DBInstance", arn: form{service: "rds", prefix: "db:"}},
		{param: "dbInstanceIdentifier", typ: "AWS::RDS::DBInstance", arn: form{service: "rds", prefix: "db:"}},
		{param: "dBClusterIdentifier", typ: "AWS::RDS::DBCluster", arn: form{service: "rds", prefix: "cluster:"}},
		{param: "dbClusterIdentifier", typ: "AWS::RDS::DBCluster", arn: form{service: "rds", prefix: "cluster:"}},
	},
	"sns.amazonaws.com": {
		{param: "<topicArn", typ: "AWS::SNS::Topic", arn: form{service: "sns"}},
		{param: "topicArn", typ: "AWS::SNS::Topic", arn: form{service: "sns"}},
		{param: "targetArn", typ: "", arn: form{kind: onlyARN}},
		{param: "name", typ: "AWS::SNS::Topic", arn: form{service: "sns"}, in: "CreateTopic"},
	},
	"sqs.amazonaws.com": {
		{param: "queueUrl", typ: "AWS::SQS::Queue", arn: form{service: "sqs", kind: queueURL}},
		{param: "queueName", typ: "AWS::SQS::Queue", arn: form{service: "sqs", kind: queueURL}},
	},
	"dynamodb.amazonaws.com": {
		{param: "tableName", typ: "AWS::DynamoDB::Table", arn: form{service: "dynamodb", prefix: "table/"}},
		{param: "tableArn", typ: "AWS::DynamoDB::Table", arn: form{kind: onlyARN}},
		{param: "resourceArn", typ: "AWS::DynamoDB::Table", arn: form{kind: onlyARN}},
	},
	"ecr.amazonaws.com": {
		{param: "repositoryName", typ: "AWS::ECR::Repository", arn: form{service: "ecr", prefix: "repository/"}},
		{param: "repositoryNames", typ: "AWS::ECR::Repository", arn: form{service: "ecr", prefix: "repository/"}},
	},
	"ecs.amazonaws.com": {
		{param: "<cluster.clusterArn", typ: "AWS::ECS::Cluster", arn: form{service: "ecs", prefix: "cluster/"}},
		{param: "cluster", typ: "AWS::ECS::Cluster", arn: form{service: "ecs", prefix: "cluster/"}},
		{param: "clusterName", typ: "AWS::ECS::Cluster", arn: form{service: "ecs", prefix: "cluster/"}},
		{param: "taskDefinition", typ: "AWS::ECS::TaskDefinition", arn: form{service: "ecs", prefix: "task-definition/"}},
		{param: "service", typ: "AWS::ECS::Service", arn: form{service: "ecs", prefix: "service/", kind: onlyARN}},
		{param: "task", typ: "AWS::ECS::Task", arn: form{service: "ecs", prefix: "task/", kind: onlyARN}},
	},
	"eks.amazonaws.com": {
		{param: "<cluster.arn", typ: "AWS::EKS::Cluster", arn: form{service: "eks", prefix: "cluster/"}},
		{param: "clusterName", typ: "AWS::EKS::Cluster", arn: form{service: "eks", prefix: "cluster/"}},
		{param: "name", typ: "AWS::EKS::Cluster", arn: form{service: "eks", prefix: "cluster/"}},
	},
	"logs.amazonaws.com": {
		{param: "logGroupName", typ: "AWS::Logs::LogGroup", arn: form{service: "logs", prefix: "log-group:"}},
		{param: "logGroupIdentifier", typ: "AWS::Logs::LogGroup", arn: form{service: "logs", prefix: "log-group:"}},
	},
	"events.amazonaws.com": {
		{param: "rule", typ: "AWS::Events::Rule", arn: form{service: "events", prefix: "rule/"}},
		{param: "name", typ: "AWS::Events::Rule", arn: form{service: "events", prefix: "rule/"}, in: "Rule"},
	},
	"monitoring.amazonaws.com": {
		{param: "alarmName", typ: "AWS::CloudWatch::Alarm", arn: form{service: "cloudwatch", prefix: "alarm:"}},
		{param: "alarmNames", typ: "AWS::CloudWatch::Alarm", arn: form{service: "cloudwatch", prefix: "alarm:"}},
	},
	"guardduty.amazonaws.com": {
		{param: "<detectorId", typ: "AWS::GuardDuty::Detector", arn: form{service: "guardduty", prefix: "detector/"}},
		{param: "detectorId", typ: "AWS::GuardDuty::Detector", arn: form{service: "guardduty", prefix: "detector/"}},
	},
	"access-analyzer.amazonaws.com": {
		{param: "analyzerName", typ: "AWS::AccessAnalyzer::Analyzer", arn: form{service: "access-analyzer", prefix: "analyzer/"}},
		{param: "analyzerArn", typ: "AWS::AccessAnalyzer::Analyzer", arn: form{kind: onlyARN}},
	},
	"cloudformation.amazonaws.com": {
		{param: "<stackId", typ: "AWS::CloudFormation::Stack", arn: form{service: "cloudformation", prefix: "stack/"}},
		{param: "stackName", typ: "AWS::CloudFormation::Stack", arn: form{service: "cloudformation", prefix: "stack/"}},
	},
	"elasticloadbalancing.amazonaws.com": {
		{param: "loadBalancerArn", typ: "AWS::ElasticLoadBalancingV2::LoadBalancer", arn: form{service: "elasticloadbalancing", prefix: "loadbalancer/app/", kind: onlyARN}},
		{param: "loadBalancerName", typ: "AWS::ElasticLoadBalancing::LoadBalancer", arn: form{service: "elasticloadbalancing", prefix: "loadbalancer/"}},
	},
	"elasticfilesystem.amazonaws.com": {
		{param: "fileSystemId", typ: "AWS::EFS::FileSystem", arn: form{service: "elasticfilesystem", prefix: "file-system/"}},
	},
	"redshift.amazonaws.com": {
		{param: "clusterIdentifier", typ: "AWS::Redshift::Cluster", arn: form{service: "redshift", prefix: "cluster:"}},
	},
	"es.amazonaws.com": {
		{param: "domainName", typ: "AWS::OpenSearchService::Domain", arn: form{service: "es", prefix: "domain/"}},
	},
	"elasticache.amazonaws.com": {
		{param: "cacheClusterId", typ: "AWS::ElastiCache::CacheCluster", arn: form{service: "elasticache", prefix: "cluster:"}},
		{param: "replicationGroupId", typ: "AWS::ElastiCache::ReplicationGroup", arn: form{service: "elasticache", prefix: "replicationgroup:"}},
	},
	"apigateway.amazonaws.com": {
		{param: "restApiId", typ: "AWS::ApiGateway::RestApi", arn: form{service: "apigateway", prefix: "/restapis/", kind: foreign}},
	},
	"cloudfront.amazonaws.com": {
		{param: "id", typ: "AWS::CloudFront::Distribution", arn: form{service: "cloudfront", prefix: "distribution/", kind: global}, in: "Distribution"},
	},
	"route53.amazonaws.com": {
		{param: "hostedZoneId", typ: "AWS::Route53::HostedZone", arn: form{service: "route53", prefix: "hostedzone/", kind: unscoped}},
	},
	"kinesis.amazonaws.com": {
		{param: "streamName", typ: "AWS::Kinesis::Stream", arn: form{service: "kinesis", prefix: "stream/"}},
	},
	"firehose.amazonaws.com": {
		{param: "deliveryStreamName", typ: "AWS::KinesisFirehose::DeliveryStream", arn: form{service: "firehose", prefix: "deliverystream/"}},
	},
	"states.amazonaws.com": {
		{param: "stateMachineArn", typ: "AWS::StepFunctions::StateMachine", arn: form{service: "states", prefix: "stateMachine:", kind: onlyARN}},
	},
	"codebuild.amazonaws.com": {
		{param: "projectName", typ: "AWS::CodeBuild::Project", arn: form{service: "codebuild", prefix: "project/"}},
		{param: "name", typ: "AWS::CodeBuild::Project", arn: form{service: "codebuild", prefix: "project/"}, in: "Project"},
	},
	"sagemaker.amazonaws.com": {
		{param: "notebookInstanceName", typ: "AWS::SageMaker::NotebookInstance", arn: form{service: "sagemaker", prefix: "notebook-instance/"}},
	},
	"glue.amazonaws.com": {
		{param: "jobName", typ: "AWS::Glue::Job", arn: form{service: "glue", prefix: "job/"}},
		{param: "databaseName", typ: "AWS::Glue::Database", arn: form{service: "glue", prefix: "database/"}},
	},
	"athena.amazonaws.com": {
		{param: "workGroup", typ: "AWS::Athena::WorkGroup", arn: form{service: "athena", prefix: "workgroup/"}},
	},
	"backup.amazonaws.com": {
		{param: "backupVaultName", typ: "AWS::Backup::BackupVault", arn: form{service: "backup", prefix: "backup-vault:"}},
	},
	"bedrock.amazonaws.com": {
		{param: "modelId", typ: "AWS::Bedrock::FoundationModel", arn: form{service: "bedrock", prefix: "foundation-model/", kind: foreign}},
	},
	"cognito-idp.amazonaws.com": {
		{param: "userPoolId", typ: "AWS::Cognito::UserPool", arn: form{service: "cognito-idp", prefix: "userpool/"}},
	},
	"acm.amazonaws.com": {
		{param: "certificateArn", typ: "AWS::CertificateManager::Certificate", arn: form{service: "acm", prefix: "certificate/", kind: onlyARN}},
	},
}

var ec2Rules = []rule{
	{param: "<instancesSet.items.instanceId", typ: "AWS::EC2::Instance", arn: instance},
	{param: "<snapshotId", typ: "AWS::EC2::Snapshot", arn: snapshot},
	{param: "<imageId", typ: "AWS::EC2::Image", arn: image},
	{param: "<volumeId", typ: "AWS::EC2::Volume", arn: form{service: "ec2", prefix: "volume/"}},
	{param: "<groupId", typ: "AWS::EC2::SecurityGroup", arn: securityGroup},
	{param: "<vpc.vpcId", typ: "AWS::EC2::VPC", arn: form{service: "ec2", prefix: "vpc/"}},
	{param: "<subnet.subnetId", typ: "AWS::EC2::Subnet", arn: form{service: "ec2", prefix: "subnet/"}},
	{param: "instancesSet.items.instanceId", typ: "AWS::EC2::Instance", arn: instance},
	{param: "instanceId", typ: "AWS::EC2::Instance", arn: instance},
	{param: "snapshotId", typ: "AWS::EC2::Snapshot", arn: snapshot},
	{param: "snapshotSet.items.snapshotId", typ: "AWS::EC2::Snapshot", arn: snapshot},
	{param: "sourceSnapshotId", typ: "AWS::EC2::Snapshot", arn: snapshot},
	{param: "groupId", typ: "AWS::EC2::SecurityGroup", arn: securityGroup},
	{param: "groupSet.items.groupId", typ: "AWS::EC2::SecurityGroup", arn: securityGroup},
	{param: "securityGroupIdSet.items.groupId", typ: "AWS::EC2::SecurityGroup", arn: securityGroup},
	{param: "ModifySecurityGroupRulesRequest.GroupId", typ: "AWS::EC2::SecurityGroup", arn: securityGroup},
	{param: "volumeId", typ: "AWS::EC2::Volume", arn: form{service: "ec2", prefix: "volume/"}},
	{param: "volumeSet.items.volumeId", typ: "AWS::EC2::Volume", arn: form{service: "ec2", prefix: "volume/"}},
	{param: "networkAclId", typ: "AWS::EC2::NetworkAcl", arn: form{service: "ec2", prefix: "network-acl/"}},
	{param: "routeTableId", typ: "AWS::EC2::RouteTable", arn: form{service: "ec2", prefix: "route-table/"}},
	{param: "internetGatewayId", typ: "AWS::EC2::InternetGateway", arn: form{service: "ec2", prefix: "internet-gateway/"}},
	{param: "natGatewayId", typ: "AWS::EC2::NatGateway", arn: form{service: "ec2", prefix: "natgateway/"}},
	{param: "networkInterfaceId", typ: "AWS::EC2::NetworkInterface", arn: form{service: "ec2", prefix: "network-interface/"}},
	{param: "DeleteFlowLogsRequest.FlowLogId.content", typ: "AWS::EC2::FlowLog", arn: form{service: "ec2", prefix: "vpc-flow-log/"}},
	{param: "keyName", typ: "AWS::EC2::KeyPair", arn: form{service: "ec2", prefix: "key-pair/"}},
	{param: "imageId", typ: "AWS::EC2::Image", arn: image},
	{param: "instancesSet.items.imageId", typ: "AWS::EC2::Image", arn: image},
	{param: "imagesSet.items.imageId", typ: "AWS::EC2::Image", arn: image},
	{param: "subnetId", typ: "AWS::EC2::Subnet", arn: form{service: "ec2", prefix: "subnet/"}},
	{param: "vpcId", typ: "AWS::EC2::VPC", arn: form{service: "ec2", prefix: "vpc/"}},
	{param: "vpcSet.items.vpcId", typ: "AWS::EC2::VPC", arn: form{service: "ec2", prefix: "vpc/"}},
}

var (
	secret          = form{service: "secretsmanager", prefix: "secret:"}
	key             = form{service: "kms", prefix: "key/", kind: kmsKey}
	ssmParameter    = form{service: "ssm", prefix: "parameter/", kind: parameter}
	instance        = form{service: "ec2", prefix: "instance/"}
	snapshot        = form{service: "ec2", prefix: "snapshot/", kind: foreign}
	image           = form{service: "ec2", prefix: "image/", kind: foreign}
	securityGroup   = form{service: "ec2", prefix: "security-group/"}
	user            = form{service: "iam", prefix: "user/", kind: global}
	role            = form{service: "iam", prefix: "role/", kind: global}
	managedPolicy   = form{service: "iam", prefix: "policy/", kind: global}
	instanceProfile = form{service: "iam", prefix: "instance-profile/", kind: global}
	lambda          = form{service: "lambda", prefix: "function:", kind: function}
	trail           = form{service: "cloudtrail", prefix: "trail/"}
)
