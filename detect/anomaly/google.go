package anomaly

import (
	"strings"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/usage"
)

// Services of Google Cloud that hold secrets and keys.
const (
	secretManager = "secretmanager.googleapis.com"
	cloudKMS      = "cloudkms.googleapis.com"
)

// withGoogle adds the calls of Google Cloud that use a secret or key.
func withGoogle(m map[call]thing) map[call]thing {
	for _, method := range usage.GoogleSecretReads {
		m[call{secretManager, method}] = aSecret
	}
	for _, method := range usage.GoogleKeyUses {
		m[call{cloudKMS, method}] = aKey
	}
	return m
}

// googleSorts adds Google Cloud's calls of note. Methods are as audit logs name
// them.
func googleSorts(add func(sort, service string, operations ...string)) {
	add(watch.ActRotate, secretManager, usage.InSecretManager("AddSecretVersion", "EnableSecretVersion")...)
	add(watch.ActRotate, cloudKMS, usage.InCloudKMS("CreateCryptoKeyVersion", "UpdateCryptoKeyPrimaryVersion", "ImportCryptoKeyVersion")...)
	add(watch.ActCreate, secretManager, usage.InSecretManager("CreateSecret")...)
	add(watch.ActCreate, cloudKMS, usage.InCloudKMS("CreateCryptoKey", "RestoreCryptoKeyVersion")...)
	add(watch.ActDelete, secretManager, usage.InSecretManager("DeleteSecret", "DestroySecretVersion", "DisableSecretVersion")...)
	add(watch.ActDelete, cloudKMS, usage.InCloudKMS("DestroyCryptoKeyVersion")...)
	add(watch.ActPolicy, secretManager, usage.InSecretManager("SetIamPolicy", "UpdateSecret")...)
	add(watch.ActPolicy, cloudKMS, usage.InCloudKMS("SetIamPolicy", "UpdateCryptoKey")...)
	add(watch.ActPolicy, "cloudresourcemanager.googleapis.com", "SetIamPolicy")
	add(watch.ActPolicy, "iam.googleapis.com", "google.iam.admin.v1.SetIAMPolicy", "google.iam.admin.v1.UpdateRole")
	add(watch.ActPolicy, "orgpolicy.googleapis.com", "google.cloud.orgpolicy.v2.OrgPolicy.CreatePolicy",
		"google.cloud.orgpolicy.v2.OrgPolicy.UpdatePolicy", "google.cloud.orgpolicy.v2.OrgPolicy.DeletePolicy")

	add(watch.ActDeploy, "run.googleapis.com", "google.cloud.run.v1.Services.ReplaceService", "google.cloud.run.v2.Services.UpdateService",
		"google.cloud.run.v1.Jobs.RunJob", "google.cloud.run.v2.Jobs.RunJob")
	add(watch.ActDeploy, "cloudfunctions.googleapis.com", "google.cloud.functions.v1.CloudFunctionsService.UpdateFunction",
		"google.cloud.functions.v2.FunctionService.UpdateFunction")
	add(watch.ActDeploy, "appengine.googleapis.com", "google.appengine.v1.Versions.CreateVersion")
	add(watch.ActDeploy, "clouddeploy.googleapis.com", "google.cloud.deploy.v1.CloudDeploy.CreateRollout")
	add(watch.ActDeploy, "compute.googleapis.com", "v1.compute.instanceGroupManagers.patch", "v1.compute.instanceGroupManagers.applyUpdatesToInstances",
		"v1.compute.instanceGroupManagers.recreateInstances", "v1.compute.instanceGroupManagers.resize")
	add(watch.ActDeploy, "container.googleapis.com", "google.container.v1.ClusterManager.UpdateNodePool", "google.container.v1beta1.ClusterManager.UpdateNodePool")
	add(watch.ActDeploy, "k8s.io", "io.k8s.apps.v1.deployments.patch", "io.k8s.apps.v1.deployments.update", "io.k8s.apps.v1.statefulsets.patch")

	add(watch.ActBuild, "run.googleapis.com", "google.cloud.run.v1.Services.CreateService", "google.cloud.run.v2.Services.CreateService")
	add(watch.ActBuild, "cloudfunctions.googleapis.com", "google.cloud.functions.v1.CloudFunctionsService.CreateFunction",
		"google.cloud.functions.v2.FunctionService.CreateFunction")
	add(watch.ActBuild, "compute.googleapis.com", "v1.compute.instances.insert", "beta.compute.instances.insert", "v1.compute.networks.insert",
		"v1.compute.subnetworks.insert", "v1.compute.instanceTemplates.insert", "v1.compute.instanceGroupManagers.insert")
	add(watch.ActBuild, "container.googleapis.com", "google.container.v1.ClusterManager.CreateCluster", "google.container.v1.ClusterManager.CreateNodePool",
		"google.container.v1beta1.ClusterManager.CreateCluster", "google.container.v1beta1.ClusterManager.CreateNodePool")
	add(watch.ActBuild, "iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccount")
	add(watch.ActBuild, "cloudsql.googleapis.com", "cloudsql.instances.create", "cloudsql.instances.clone", "cloudsql.instances.failover")
}

// serviceAccount takes the address of a service account apart that a project of
// Google Cloud has made.
func serviceAccount(uid string) (name, project string, ok bool) {
	name, domain, ok := strings.Cut(uid, "@")
	if !ok {
		return "", "", false
	}
	project, ok = strings.CutSuffix(domain, ".iam.gserviceaccount.com")
	return name, project, ok
}
